import { spawn } from 'node:child_process';
import fs, { constants } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nodeHost } from '../../src/host/node-host.ts';
import { until } from '../hostile/until.ts';

const { files, lock, watching } = nodeHost;

let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-files-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

const at = (name: string): string => path.join(directory, name);

function thrown(work: () => void): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

test('a link publishes a complete file, once, and the link count tells how many names there are', () => {
  fs.writeFileSync(at('staged'), 'whole');
  files.link(at('staged'), at('new'));
  expect(fs.readFileSync(at('new'), 'utf8')).toBe('whole');
  expect(files.lstat(at('staged'))?.nlink).toBe(2);
  expect(files.lstat(at('staged'))?.ino).toBe(files.lstat(at('new'))?.ino);
  expect(thrown(() => files.link(at('staged'), at('new')))).toBe('EEXIST');
  expect(thrown(() => files.link(at('gone'), at('other')))).toBe('ENOENT');
});

test('of several processes that link or rename to one name, exactly one succeeds', async () => {
  const program = `
    const fs = require('node:fs');
    const [, directory, me] = process.argv;
    const did = (work) => { try { work(); return 1; } catch { return 0; } };
    fs.writeFileSync(directory + '/ready-' + me, '');
    while (!fs.existsSync(directory + '/go'));
    let links = 0, renames = 0;
    for (let n = 0; n < 200; n++) {
      links += did(() => fs.linkSync(directory + '/staged', directory + '/link-' + n));
      renames += did(() => fs.renameSync(directory + '/claim-' + n, directory + '/claimed-' + n + '-' + me));
    }
    console.log(JSON.stringify([links, renames]));`;
  fs.writeFileSync(at('staged'), 'x');
  for (let n = 0; n < 200; n++) fs.writeFileSync(at(`claim-${n}`), String(n));
  const all = [0, 1, 2].map(async (me) => {
    const child = spawn(process.execPath, ['-e', program, directory, String(me)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let told = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (told += text));
    await new Promise((resolve) => child.once('close', resolve));
    return JSON.parse(told) as [number, number];
  });
  await until('all are ready', () => [0, 1, 2].every((me) => fs.existsSync(at(`ready-${me}`))));
  fs.writeFileSync(at('go'), '');
  const done = await Promise.all(all);
  expect(done.reduce((sum, [links]) => sum + links, 0)).toBe(200);
  expect(done.reduce((sum, [, renames]) => sum + renames, 0)).toBe(200);
});

test('a rename replaces a file in one step', () => {
  fs.writeFileSync(at('old'), 'old');
  fs.writeFileSync(at('staged'), 'new');
  files.rename(at('staged'), at('old'));
  expect([fs.readFileSync(at('old'), 'utf8'), fs.existsSync(at('staged'))]).toEqual(['new', false]);
});

test('lines appended by several processes are whole', async () => {
  const program = `
    const fs = require('node:fs');
    const fd = fs.openSync(process.argv[1], fs.constants.O_RDWR | fs.constants.O_APPEND | fs.constants.O_CREAT, 0o600);
    for (let n = 0; n < 300; n++) fs.writeSync(fd, process.argv[2].repeat(500 + n) + '\\n');`;
  const ends = ['a', 'b', 'c'].map(
    (letter) =>
      new Promise((resolve) =>
        spawn(process.execPath, ['-e', program, at('log'), letter], { stdio: 'inherit' }).once('close', resolve),
      ),
  );
  expect(await Promise.all(ends)).toEqual([0, 0, 0]);
  const lines = fs.readFileSync(at('log'), 'utf8').trimEnd().split('\n');
  expect(lines).toHaveLength(900);
  expect(lines.filter((line) => !/^(?:a+|b+|c+)$/.test(line))).toEqual([]);
  for (const letter of ['a', 'b', 'c']) {
    const lengths = lines.filter((line) => line.startsWith(letter)).map(({ length }) => length);
    expect(lengths).toEqual(Array.from({ length: 300 }, (_, n) => 500 + n));
  }
});

test.skipIf(process.platform === 'win32')('a file and the directory that it is in reach the disk', async () => {
  fs.writeFileSync(at('file'), 'x');
  for (const [name, flags] of [
    ['file', constants.O_RDWR],
    ['.', constants.O_RDONLY | constants.O_DIRECTORY],
  ] as const) {
    const fd = files.open(at(name), flags);
    const beganMs = performance.now();
    await expect(Promise.all([files.fsync(fd), files.fdatasync(fd)])).resolves.toHaveLength(2);
    console.log(
      `fsync and fdatasync of ${name === '.' ? 'a directory' : 'a file'}: ${(performance.now() - beganMs).toFixed(1)} ms`,
    );
    files.close(fd);
  }
});

test.skipIf(process.platform === 'win32')('no link is followed, and nothing but a file is waited for', () => {
  fs.symlinkSync(at('elsewhere'), at('link'));
  expect(thrown(() => files.open(at('link'), constants.O_RDONLY | constants.O_NOFOLLOW))).toBe('ELOOP');
  expect(thrown(() => files.open(at('link'), constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600))).toBe(
    'EEXIST',
  );
  expect(files.lstat(at('link'))?.kind).toBe('symlink');
  expect(files.lstat(`${at('none')}/below`)).toBeUndefined();
  expect(files.lstat(at('x'.repeat(4_000)))).toBeUndefined();
});

test('a watched directory gives a hint of a name that is linked into it', async () => {
  fs.mkdirSync(at('new'));
  fs.writeFileSync(at('staged'), 'x');
  let hints = 0;
  const failures: string[] = [];
  const close = watching.directory(
    at('new'),
    () => (hints += 1),
    (reason) => failures.push(reason),
  );
  try {
    // A watch begins some time after it was asked for: a hint may be late or missing, a later one comes.
    let n = 0;
    await until('a hint came', () => {
      if (hints === 0 && n < 500) files.link(at('staged'), at(`new/${n++}`));
      return hints > 0;
    });
    console.log(`a hint after ${n} links`);
  } finally {
    close();
  }
  expect(failures).toEqual([]);
});

test('a lock is given to one process after the other', async () => {
  const inside: string[] = [];
  const enter = async (name: string): Promise<void> => {
    const release = await lock.smooth(at('lock'), { waitMsMax: 30_000 });
    inside.push(`${name} in`);
    await nodeHost.clock.sleep(20);
    inside.push(`${name} out`);
    await release();
  };
  await Promise.all(['a', 'b', 'c'].map(enter));
  for (let n = 0; n < inside.length; n += 2) expect(inside[n + 1]).toBe(inside[n]?.replace('in', 'out'));
});
