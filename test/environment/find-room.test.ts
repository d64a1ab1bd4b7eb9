import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FileSystem } from '../../src/host/file-system.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { initRoom, openRoom, type OpenOptions } from '../../src/index.ts';
import { systemError } from '../faults/faulty-files.ts';

const OTHER_USER = 12345;

let base: string;
beforeEach(() => {
  base = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-find-')));
  // A room that this test is run in must not be found.
  vi.stubEnv('MAILROOM_DIR', undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  fs.rmSync(base, { recursive: true, force: true });
});

async function found(options: OpenOptions): Promise<string> {
  const room = await openRoom(options);
  await room.close();
  return path.relative(base, room.directory);
}

function inside(...parts: readonly string[]): string {
  const directory = path.join(base, ...parts);
  fs.mkdirSync(directory, { recursive: true });
  return directory;
}

describe('a room is found', () => {
  test('in the working directory and from any depth below it, the nearest one first', async () => {
    await initRoom({ cwd: base });
    await initRoom({ cwd: inside('a/inner') });
    const deep = inside('a/inner', ...Array.from({ length: 40 }, () => 'd'));
    expect(await found({ cwd: base })).toBe('.mailroom');
    expect(await found({ cwd: inside('a/b/c') })).toBe('.mailroom');
    expect(await found({ cwd: deep })).toBe('a/inner/.mailroom');
    expect(await found({ cwd: path.join(base, '.mailroom/actors') })).toBe('.mailroom');
  });

  test('where it is named, itself or the directory it is in, and by MAILROOM_DIR, before all others', async () => {
    await initRoom({ cwd: base });
    await initRoom({ cwd: inside('named') });
    await initRoom({ directory: inside('plain') });
    expect(await found({ cwd: base, directory: 'named' })).toBe('named/.mailroom');
    expect(await found({ cwd: base, directory: 'named/.mailroom' })).toBe('named/.mailroom');
    expect(await found({ cwd: base, directory: path.join(base, 'plain') })).toBe('plain');
    vi.stubEnv('MAILROOM_DIR', path.join(base, 'named'));
    expect(await found({ cwd: base })).toBe('named/.mailroom');
    expect(await found({ cwd: base, directory: 'plain' })).toBe('plain');
    vi.stubEnv('MAILROOM_DIR', '');
    expect(await found({ cwd: base })).toBe('.mailroom');
    vi.stubEnv('MAILROOM_DIR', path.join(base, 'nowhere'));
    await expect(openRoom({ cwd: base })).rejects.toMatchObject({
      code: 'ROOM_NOT_FOUND',
      message: `There is no room at ${base}/nowhere: it has no room.json.`,
      hint: `Make one with: mailroom init --room ${base}/nowhere`,
    });
  });

  test('from a git worktree in the main checkout, unless the worktree has one of its own', async () => {
    const main = inside('main');
    const git = (...args: readonly string[]): void => {
      const identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.org', '-c', 'commit.gpgsign=false'];
      execFileSync('git', [...identity, ...args], { cwd: main, stdio: 'pipe' });
    };
    git('init', '-q');
    git('commit', '-q', '--allow-empty', '-m', 'first');
    git('worktree', 'add', '-q', '../tree');
    git('worktree', 'add', '-q', '-b', 'other', '../deep/er/tree');
    await initRoom({ cwd: main });
    expect(await found({ cwd: path.join(base, 'tree') })).toBe('main/.mailroom');
    expect(await found({ cwd: inside('deep/er/tree/src/below') })).toBe('main/.mailroom');
    // As git writes it with worktree.useRelativePaths.
    fs.writeFileSync(path.join(inside('relative'), '.git'), 'gitdir: ../main/.git/worktrees/tree\n');
    expect(await found({ cwd: inside('relative/src') })).toBe('main/.mailroom');
    await initRoom({ cwd: path.join(base, 'tree') });
    expect(await found({ cwd: path.join(base, 'tree') })).toBe('tree/.mailroom');
    expect(fs.readdirSync(path.join(base, 'tree'))).toEqual(['.git', '.mailroom']);
    const status = execFileSync('git', ['status', '--porcelain'], { cwd: main, encoding: 'utf8' });
    expect(status).toBe('');
  });
});

describe('no room is found', () => {
  test('where there is none, and nothing that looks like one is taken for it', async () => {
    const notFound = { code: 'ROOM_NOT_FOUND', hint: expect.stringContaining('mailroom init') };
    await expect(openRoom({ cwd: base })).rejects.toMatchObject({
      ...notFound,
      message: `There is no room here: no .mailroom in ${base} or above it.`,
    });
    inside('empty/.mailroom');
    inside('directory/.mailroom/room.json');
    fs.writeFileSync(path.join(inside('file'), '.mailroom'), 'x');
    fs.symlinkSync('/etc/passwd', path.join(inside('link/.mailroom'), 'room.json'));
    fs.writeFileSync(path.join(inside('git'), '.git'), 'gitdir: /nowhere/.git/worktrees/x\n');
    fs.writeFileSync(path.join(inside('odd'), '.git'), 'gitdir: ../modules/x\n');
    for (const name of ['empty', 'directory', 'file', 'link', 'git', 'odd', 'not/there']) {
      await expect(openRoom({ cwd: path.join(base, name) }), name).rejects.toMatchObject(notFound);
    }
  });
});

describe('a room of another user is refused', () => {
  const refused = (uid: number): object => ({
    code: 'ROOM_REFUSED',
    message: expect.stringContaining(`belongs to another user (uid ${uid}, you are ${process.getuid?.()})`),
    hint: 'Make a room of your own with: mailroom init',
  });

  test.runIf(process.getuid?.() === 0)('when its files are that user’s', async () => {
    const { directory } = await initRoom({ cwd: base });
    execFileSync('chown', ['-R', String(OTHER_USER), directory]);
    await expect(openRoom({ cwd: base })).rejects.toMatchObject(refused(OTHER_USER));
    execFileSync('chown', ['-R', '0', directory]);
    execFileSync('chown', [String(OTHER_USER), path.join(directory, 'room.json')]);
    await expect(openRoom({ directory })).rejects.toMatchObject(refused(OTHER_USER));
  });

  test('when it may not even be looked into, also on the way up to one of one’s own', async () => {
    await initRoom({ cwd: base });
    const hidden = inside('a/.mailroom');
    const files: FileSystem = {
      ...nodeHost.files,
      lstat: (at) => {
        if (at.startsWith(`${hidden}/`)) throw systemError('EACCES', { name: 'lstat', path: at });
        return nodeHost.files.lstat(at);
      },
    };
    await expect(openRoom({ cwd: inside('a/b'), host: { ...nodeHost, files } })).rejects.toMatchObject({
      code: 'ROOM_REFUSED',
      message: expect.stringContaining(hidden),
    });
  });
});
