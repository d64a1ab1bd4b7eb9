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
  // A room in which this test happens to run must not be found.
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

  test('where it is named, itself or the directory that contains it, and by MAILROOM_DIR, before all others', async () => {
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

  test('from a git worktree in the main checkout, unless the worktree has a room of its own', async () => {
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

describe('a room of a bare repository', () => {
  const identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.org', '-c', 'commit.gpgsign=false'];
  const git = (cwd: string, ...args: readonly string[]): void => {
    execFileSync('git', [...identity, ...args], { cwd, stdio: 'pipe' });
  };
  /** A bare repository with the worktrees `one`, `two` and `far/three`. */
  function bare(name: string): void {
    git(base, 'init', '-q', inside('source'));
    git(path.join(base, 'source'), 'commit', '-q', '--allow-empty', '-m', 'first');
    git(base, 'clone', '-q', '--bare', 'source', name);
    for (const tree of ['one', 'two', 'far/three'])
      git(path.join(base, name), 'worktree', 'add', '-q', '-b', path.basename(tree), path.join(base, tree));
  }

  // Root cause: only the main checkout was searched, and a bare repository has none.
  test.each(['shop.git', 'shop/.git', '.bare'])('%s is found from every worktree of it', async (name) => {
    bare(name);
    await initRoom({ cwd: path.join(base, 'one') });
    expect(await found({ cwd: path.join(base, 'two') })).toBe('one/.mailroom');
    expect(await found({ cwd: inside('far/three/src/below') })).toBe('one/.mailroom');
    fs.rmSync(path.join(base, 'far/three'), { recursive: true });
    expect(await found({ cwd: path.join(base, 'two') })).toBe('one/.mailroom');
    await initRoom({ cwd: path.join(base, 'two') });
    expect(await found({ cwd: path.join(base, 'two') })).toBe('two/.mailroom');
  });

  test('has to be named if two worktrees have one, and may be beside the repository', async () => {
    bare('place/shop.git');
    await initRoom({ cwd: path.join(base, 'place') });
    expect(await found({ cwd: path.join(base, 'two') })).toBe('place/.mailroom');
    await initRoom({ cwd: path.join(base, 'one') });
    await initRoom({ cwd: path.join(base, 'far/three') });
    await expect(openRoom({ cwd: path.join(base, 'two') })).rejects.toMatchObject({
      code: 'ROOM_NOT_FOUND',
      message: expect.stringMatching(
        /^2 worktrees of this repository have a room: .*one\/\.mailroom, .*three\/\.mailroom\.$/,
      ),
      hint: expect.stringContaining('export MAILROOM_DIR='),
    });
  });
});

describe('no room is found', () => {
  test('where there is none, and nothing similar is taken for one', async () => {
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

describe('text that others wrote is not a path until it looks like one', () => {
  // Root cause: a NUL got as far as Node, which reports it in its own words and with its own code.
  test.each<readonly [what: string, git: string]>([
    ['a NUL', 'gitdir: /a\0b/.git/worktrees/x\n'],
    ['a NUL in the middle of a link', 'gitdir: /a/.git/worktrees/x\0\n'],
    ['nothing', 'gitdir: \n'],
    ['a path longer than any', `gitdir: /${'x'.repeat(5_000)}/.git/worktrees/x\n`],
    ['a name longer than any', `gitdir: /${'x'.repeat(300)}/.git/worktrees/x\n`],
    ['bytes', '\u0001\uffff'],
  ])('a .git with %s', async (_what, git) => {
    fs.writeFileSync(path.join(inside('tree'), '.git'), git);
    await expect(openRoom({ cwd: path.join(base, 'tree') })).rejects.toMatchObject({ code: 'ROOM_NOT_FOUND' });
  });

  test('a worktree of a bare repository whose files are damaged', async () => {
    const own = inside('shop.git/worktrees/one');
    fs.writeFileSync(path.join(base, 'shop.git/config'), '[core]\n\tbare = true\n');
    fs.writeFileSync(path.join(inside('tree'), '.git'), `gitdir: ${own}\n`);
    for (const text of ['/a\0b/.git', '', 'x'.repeat(100_000), '\n\n']) {
      fs.writeFileSync(path.join(own, 'gitdir'), text);
      await expect(openRoom({ cwd: path.join(base, 'tree') })).rejects.toMatchObject({ code: 'ROOM_NOT_FOUND' });
    }
  });
});

describe('a room that lost its room.json', () => {
  // Root cause: the search went past it, to an unrelated room; and a new room.json made inside it refused all its mail.
  test.each<readonly [what: string, put: (config: string) => void]>([
    ['which is missing', () => {}],
    ['which is a directory', (config) => fs.mkdirSync(config)],
    ['which is a link', (config) => fs.symlinkSync('/etc/passwd', config)],
  ])('%s is neither passed over nor made again', async (_what, put) => {
    await initRoom({ cwd: base });
    const { directory } = await initRoom({ cwd: inside('own') });
    await using room = await openRoom({ directory });
    await room.join('alice');
    fs.rmSync(path.join(directory, 'room.json'));
    put(path.join(directory, 'room.json'));
    const refused = {
      code: 'ROOM_REFUSED',
      message: expect.stringContaining(`The room ${directory} is damaged`),
      hint: expect.stringContaining(`mailroom init --room ${directory}`),
    };
    await expect(openRoom({ cwd: inside('own/src') })).rejects.toMatchObject(refused);
    await expect(openRoom({ directory })).rejects.toMatchObject(refused);
    await expect(initRoom({ cwd: inside('own') })).rejects.toMatchObject(refused);
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

  test('even if it may not be looked into, also on the way up to a room of one’s own', async () => {
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

test('the command in a hint works in a directory whose name has characters special to a shell', async () => {
  const directory = inside(`it's $HOME; "here"`);
  fs.mkdirSync(path.join(directory, '.mailroom', 'actors', 'alice'), { recursive: true });
  const error = (await openRoom({ cwd: directory }).catch((caught: unknown) => caught)) as { hint?: string };
  const move = /start over instead: (mv .*) && mailroom init/.exec(error.hint ?? '')?.[1];
  execFileSync('/bin/sh', ['-c', move ?? 'exit 1']);
  expect(fs.readdirSync(directory)).toEqual(['.mailroom.old']);
});
