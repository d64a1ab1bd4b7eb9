import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import Module from 'node:module';
import path from 'node:path';
import { Script } from 'node:vm';
import { expect, it } from 'vitest';
import { createCliRoom, type CliRoom, type Ran } from './cli-room.ts';

const DIST = path.join(import.meta.dirname, '../../dist/cli');
const FILES_MAX = 64;
const PLANTED = 'planted\n';

/** Where the code is kept when the cache folder is a new one in the room's home. */
function place(room: CliRoom): { env: Record<string, string>; directory: string; files: () => string[] } {
  const cache = path.join(room.directory, 'cache');
  const directory = path.join(cache, 'agent-mailroom');
  return {
    env: { XDG_CACHE_HOME: cache },
    directory,
    files: () => (fs.existsSync(directory) ? fs.readdirSync(directory) : []),
  };
}

const whoami = (room: CliRoom, env: Record<string, string>): Promise<Ran> => room.run(['whoami'], { as: 'alice', env });
const GOOD = { code: 0, stdout: 'alice\n', stderr: '' };

/** Compiled code of another program, which V8 takes for that of the script because both are of one length. */
function plantedCode(name: string): Buffer {
  const { length } = fs.readFileSync(path.join(DIST, `${name}.script`), 'latin1');
  const text = `(function(){process.stdout.write("planted\\n");process.exit(0)})`.padEnd(length);
  const script = new Script(text);
  script.runInThisContext();
  return script.createCachedData();
}

const twice = (bytes: Buffer): Buffer => Buffer.concat([bytes, bytes]);

it('keeps code for its user alone, and the next process leaves it as it is', async () => {
  using room = await createCliRoom({ apart: true });
  const { env, directory, files } = place(room);
  expect(await whoami(room, env)).toMatchObject(GOOD);
  const [name = '', ...others] = files();
  expect(others).toEqual([]);
  expect(name).toMatch(/^mailroom-whoami-[0-9a-f]{16}-/);
  expect(name).toContain(`-${process.version}-${process.platform}-${process.arch}`);
  expect(fs.statSync(directory).mode & 0o777).toBe(0o700);
  const file = path.join(directory, name);
  const kept = fs.statSync(file);
  expect(kept.mode & 0o777).toBe(0o600);
  expect(await whoami(room, env)).toMatchObject(GOOD);
  expect(files()).toEqual([name]);
  expect((await room.run(['inbox'], { as: 'alice', env })).code).toBe(0);
  expect(files()).toHaveLength(2);
  // Nothing is kept of what came to no good end.
  expect((await room.run(['status', 'nonsense'], { as: 'alice', env })).code).not.toBe(0);
  expect(files()).toHaveLength(2);
  // V8 refuses what was compiled with other flags, so each has code of its own.
  for (const flags of ['--no-warnings', '--max-old-space-size=300', '--no-warnings']) {
    expect(await whoami(room, { ...env, NODE_OPTIONS: flags })).toMatchObject(GOOD);
  }
  expect(files()).toHaveLength(4);
});

it('runs what is kept, and only what it wrote itself and nobody else can have changed', async () => {
  using room = await createCliRoom({ apart: true });
  const { env, directory, files } = place(room);
  await whoami(room, env);
  const file = path.join(directory, files()[0] ?? '');
  const kept = fs.readFileSync(file);
  const code = plantedCode('mailroom');
  const elsewhere = path.join(room.directory, 'elsewhere');
  const plant = (bytes = twice(code)): void => {
    fs.rmSync(file, { recursive: true, force: true });
    fs.writeFileSync(file, bytes, { mode: 0o600 });
  };

  plant();
  expect(await whoami(room, env), 'what is kept is run').toMatchObject({ code: 0, stdout: PLANTED });

  const flipped = twice(code);
  flipped[100] = (flipped[100] ?? 0) ^ 1;
  const doubts: Record<string, () => void> = {
    'a file that others may write to': () => fs.chmodSync(file, 0o622),
    'a file that others may read': () => fs.chmodSync(file, 0o644),
    'one bit that has changed': () => plant(flipped),
    'a half that is missing': () => plant(code),
    'an end that is missing': () => plant(twice(code).subarray(0, -2)),
    'an end that is zeros': () => plant(Buffer.concat([twice(code).subarray(0, -512), Buffer.alloc(512)])),
    'zeros alone': () => plant(Buffer.alloc(2 * code.length)),
    'nothing in it': () => plant(Buffer.alloc(0)),
    'code that V8 refuses': () => plant(twice(Buffer.alloc(1_000, 1))),
    'a link to a file': () => {
      fs.renameSync(file, elsewhere);
      fs.symlinkSync(elsewhere, file);
    },
    'a file with a second name': () => {
      fs.rmSync(elsewhere, { force: true });
      fs.linkSync(file, elsewhere);
    },
    'a directory in its place': () => {
      fs.rmSync(file);
      fs.mkdirSync(file);
    },
    'a pipe in its place': () => {
      fs.rmSync(file);
      const fifo = 'mkfifo';
      expect(spawnSync(fifo, [file]).status).toBe(0);
    },
    ...(process.getuid?.() === 0 ? { "another user's file": () => fs.chownSync(file, 65_534, 65_534) } : {}),
  };
  for (const [doubt, make] of Object.entries(doubts)) {
    plant();
    make();
    expect(await whoami(room, env), doubt).toMatchObject(GOOD);
    // What is wrong is mended, but not where a directory is.
    const isThere =
      fs.lstatSync(file).isDirectory() || fs.readFileSync(file).subarray(0, 16).equals(kept.subarray(0, 16));
    expect(isThere, doubt).toBe(true);
    expect(await whoami(room, env), doubt).toMatchObject(GOOD);
  }
  console.log(`${Object.keys(doubts).length} doubts about a file`);
});

it('takes nothing from a folder that others can write to, or that is not where it should be, and writes nothing there', async () => {
  using room = await createCliRoom({ apart: true });
  const { env, directory, files } = place(room);
  await whoami(room, env);
  const name = files()[0] ?? '';
  const plant = (): void => {
    fs.rmSync(directory, { recursive: true, force: true });
    fs.mkdirSync(directory, { mode: 0o700 });
    fs.writeFileSync(path.join(directory, name), twice(plantedCode('mailroom')), { mode: 0o600 });
  };
  const other = path.join(room.directory, 'other');
  const doubts: Record<string, () => void> = {
    'a folder that the group may write to': () => fs.chmodSync(directory, 0o770),
    'a folder that others may read': () => fs.chmodSync(directory, 0o755),
    'a folder with the sticky bit, as in /tmp': () => fs.chmodSync(directory, 0o1777),
    'a link to a folder': () => {
      fs.rmSync(other, { recursive: true, force: true });
      fs.renameSync(directory, other);
      fs.symlinkSync(other, directory);
    },
    'a file in its place': () => {
      fs.rmSync(directory, { recursive: true });
      fs.writeFileSync(directory, '');
    },
    ...(process.getuid?.() === 0 ? { "another user's folder": () => fs.chownSync(directory, 65_534, 65_534) } : {}),
  };
  for (const [doubt, make] of Object.entries(doubts)) {
    plant();
    make();
    const before = listing(path.dirname(directory));
    expect(await whoami(room, env), doubt).toMatchObject(GOOD);
    expect(listing(path.dirname(directory)), doubt).toEqual(before);
  }

  plant();
  const off: Record<string, Record<string, string>> = {
    'it is turned off': { ...env, NODE_DISABLE_COMPILE_CACHE: '1' },
    'there is no home': { HOME: '', XDG_CACHE_HOME: '' },
    'the home is no absolute path': { HOME: '.', XDG_CACHE_HOME: 'cache' },
    'there can be no folder': { XDG_CACHE_HOME: '/dev/null/cache' },
    'nothing may be written there': { XDG_CACHE_HOME: '/proc/self' },
    // Node's own way to make a tree never ends there.
    'nothing can be made there': { HOME: '/proc', XDG_CACHE_HOME: '' },
  };
  for (const [why, given] of Object.entries(off)) {
    const before = listing(room.directory);
    expect(await whoami(room, given), why).toMatchObject(GOOD);
    expect(listing(room.directory), why).toEqual(before);
  }
  console.log(`${Object.keys(doubts).length} doubts about the folder, ${Object.keys(off).length} ways to have none`);
});

it('keeps code in the home of its user, where no other folder is named', async () => {
  using room = await createCliRoom({ apart: true });
  const home = path.join(room.directory, 'home');
  fs.mkdirSync(home);
  // A path that is not absolute is to be ignored (XDG Base Directory Specification).
  expect(await whoami(room, { HOME: home, XDG_CACHE_HOME: 'relative' })).toMatchObject(GOOD);
  const below = process.platform === 'darwin' ? 'Library/Caches' : '.cache';
  expect(fs.readdirSync(path.join(home, below, 'agent-mailroom'))).toHaveLength(1);
});

it.skipIf(process.getuid?.() !== 0)(
  "makes no folder in another user's home, which sudo may have left in HOME",
  async () => {
    using room = await createCliRoom({ apart: true });
    const home = path.join(room.directory, 'home');
    fs.mkdirSync(home);
    fs.chownSync(home, 65_534, 65_534);
    expect(await whoami(room, { HOME: home, XDG_CACHE_HOME: '' })).toMatchObject(GOOD);
    expect(fs.readdirSync(home)).toEqual([]);
    fs.mkdirSync(path.join(home, '.cache'));
    fs.chownSync(path.join(home, '.cache'), 65_534, 65_534);
    expect(await whoami(room, { HOME: home, XDG_CACHE_HOME: '' })).toMatchObject(GOOD);
    expect(fs.readdirSync(path.join(home, '.cache'))).toEqual([]);
  },
);

it('keeps code for its user alone under any umask, and leaves no folder that its user cannot use', async () => {
  using room = await createCliRoom({ apart: true });
  const { env, directory, files } = place(room);
  for (const umask of ['0777', '0377', '0000']) {
    fs.rmSync(path.dirname(directory), { recursive: true, force: true });
    const ran = await room.shell(`umask ${umask}; mailroom whoami`, { as: 'alice', env });
    expect(ran, umask).toMatchObject(GOOD);
    const [name = '', ...others] = files();
    expect(others, umask).toEqual([]);
    const modes = [path.dirname(directory), directory, path.join(directory, name)].map((one) => fs.statSync(one).mode);
    expect(
      modes.map((mode) => mode & 0o777),
      umask,
    ).toEqual([0o700, 0o700, 0o600]);
  }
});

it('compiles a script anew that somebody has patched', async () => {
  using room = await createCliRoom({ apart: true });
  const { env, files } = place(room);
  const copy = path.join(room.directory, 'copy');
  fs.mkdirSync(copy);
  for (const file of ['mailroom.cjs', 'mailroom.script', 'keep.cjs'])
    fs.copyFileSync(path.join(DIST, file), path.join(copy, file));
  const line = `${process.execPath} ${path.join(copy, 'mailroom.cjs')} whoami`;
  const script = path.join(copy, 'mailroom.script');
  const [hash = ''] = fs.readFileSync(script, 'latin1').split('\n');
  for (const said of ['first', 'other']) {
    // Of one length and under one hash: only the time tells.
    fs.writeFileSync(script, `${hash}\n(function(){console.log("${said}")})`);
    expect(await room.shell(line, { env })).toMatchObject({ code: 0, stdout: `${said}\n` });
  }
  expect(files()).toHaveLength(2);
});

it('has room for so many files, and the oldest go first', async () => {
  using room = await createCliRoom({ apart: true });
  const { env, directory, files } = place(room);
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  fs.chmodSync(directory, 0o700);
  for (let index = 0; index < FILES_MAX + 10; index++) {
    const file = path.join(directory, `old-${index}`);
    fs.writeFileSync(file, '');
    fs.utimesSync(file, 1_000 + index, 1_000 + index);
  }
  expect(await whoami(room, env)).toMatchObject(GOOD);
  expect(files()).toHaveLength(FILES_MAX);
  expect(files().filter((name) => name.startsWith('mailroom-'))).toHaveLength(1);
  expect(files()).not.toContain('old-10');
  expect(files()).toContain(`old-${FILES_MAX + 9}`);
});

it('comes to keep what the first process had no need of, where each has one pid and one was killed, as in containers', async () => {
  using room = await createCliRoom({ apart: true });
  const { env, directory, files } = place(room);
  const copy = path.join(room.directory, 'copy');
  fs.mkdirSync(copy);
  for (const file of ['mailroom.script', 'keep.cjs']) fs.copyFileSync(path.join(DIST, file), path.join(copy, file));
  const program = path.join(copy, 'mailroom.cjs');
  const launcher = fs.readFileSync(path.join(DIST, 'mailroom.cjs'), 'utf8').replace(/^#!.*\n/, '');
  fs.writeFileSync(
    program,
    `const { pid } = process;
Object.defineProperty(process, 'pid', { value: 7 });
if (process.env.KILLED) require('node:fs').fsyncSync = () => process.kill(pid, 'SIGKILL');
${launcher}`,
  );
  const inbox = (more: Record<string, string> = {}): Promise<Ran> =>
    room.shell(`exec '${process.execPath}' '${program}' inbox`, { as: 'bob', env: { ...env, ...more } });
  expect((await inbox({ KILLED: '1' })).signal).toBe('SIGKILL');
  const left = files();
  expect(left).toHaveLength(1);
  expect((await inbox()).code).toBe(0);
  const [name = '', ...others] = files().filter((one) => !left.includes(one));
  expect(others).toEqual([]);
  expect(name).toMatch(/^mailroom-inbox-/);
  const file = path.join(directory, name);
  const { size } = fs.statSync(file);
  await room.run(['send', 'bob', 'INFO', 'Hello.'], { as: 'alice', env });
  // One of sixteen processes looks.
  let count = 0;
  while (fs.statSync(file).size === size && count < 400) {
    expect((await inbox()).stdout).toContain('Hello.');
    count += 1;
  }
  console.log(`${size} bytes, and ${fs.statSync(file).size} after ${count} more`);
  expect(fs.statSync(file).size).toBeGreaterThan(size * 1.02);
});

it('has Node keep the modules of machines in the same folder, where it can', async () => {
  using room = await createCliRoom({ apart: true });
  const { env, directory, files } = place(room);
  fs.mkdirSync(path.join(directory, 'modules/old'), { recursive: true });
  for (const each of [directory, path.join(directory, 'modules')]) fs.chmodSync(each, 0o700);
  for (let index = 0; index < 520; index++) fs.writeFileSync(path.join(directory, 'modules/old', `${index}`), '');
  fs.writeFileSync(
    path.join(room.directory, 'machine.mjs'),
    `import { createMachine } from 'xstate';
export const machine = createMachine({ initial: 'over', output: 'over', states: { over: { type: 'final' } } });`,
  );
  const line = ['run', 'machine.mjs', '--as', 'over'];
  expect(await room.run(line, { env })).toMatchObject({ code: 0, stdout: '"over"\n' });
  // There were too many.
  expect(fs.existsSync(path.join(directory, 'modules/old'))).toBe(false);
  expect(files().filter((name) => name.startsWith('run-run-'))).toHaveLength(1);
  expect(await room.run([...line.slice(0, -1), 'again'], { env })).toMatchObject({ code: 0, stdout: '"over"\n' });
  const isKept =
    fs.existsSync(path.join(directory, 'modules')) && fs.readdirSync(path.join(directory, 'modules')).length > 0;
  expect(isKept).toBe('enableCompileCache' in Module);
  // A folder that others may write to is not used.
  fs.rmSync(path.join(directory, 'modules'), { recursive: true, force: true });
  fs.chmodSync(directory, 0o755);
  expect(await room.run([...line.slice(0, -1), 'third'], { env })).toMatchObject({ code: 0, stdout: '"over"\n' });
  expect(fs.existsSync(path.join(directory, 'modules'))).toBe(false);
});

it('keeps one file of a script for all programs that import it, whatever their words are', async () => {
  using room = await createCliRoom({ apart: true });
  const { env, files } = place(room);
  const program = path.join(room.directory, 'own.cjs');
  fs.writeFileSync(program, `require(${JSON.stringify(path.join(DIST, 'rest.cjs'))}).runAny(['whoami']);`);
  for (const word of ['north', 'south']) {
    expect(await room.shell(`'${process.execPath}' '${program}' ${word}`, { as: 'alice', env })).toMatchObject(GOOD);
  }
  expect(files()).toEqual([expect.stringMatching(/^rest-other-/)]);
});

it('lets many begin at once', async () => {
  using room = await createCliRoom({ apart: true });
  const { env, files } = place(room);
  const all = await Promise.all(Array.from({ length: 12 }, () => whoami(room, env)));
  for (const ran of all) expect(ran).toMatchObject(GOOD);
  expect(files()).toHaveLength(1);
});

/** Every file below, with its size and times of writing. */
function listing(directory: string): string[] {
  return fs
    .readdirSync(directory, { recursive: true, withFileTypes: true })
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => !file.includes('.mailroom'))
    .map((file) => `${file} ${fs.lstatSync(file).mtimeMs} ${fs.lstatSync(file).size}`)
    .sort();
}
