/**
 * What can be tested of native Windows without one: fixtures/disks/windows.cjs answers as Windows does, in every
 * process. Paths, shells and processes stay those of this machine, so nothing here proves that Mailroom runs there.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { posixOnWindows } from '../../src/host/windows-file-system.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { systemError } from '../faults/faulty-files.ts';
import { createCliRoom, type CliRoom } from '../cli/cli-room.ts';
import { isTried, KILL_STRIDE } from '../processes/stride.ts';
import { AS_BUILT } from '../team/program.ts';
import { choice } from '../run/amount.ts';
import { SEED } from '../run/seed.ts';
import { createExchangeRoom, exchangeIn, namesBelow } from './whole-exchange.ts';

const PRELOAD = path.join(import.meta.dirname, '../../fixtures/disks/windows.cjs');
const ENV = {
  NODE_OPTIONS: `--require ${PRELOAD}`,
  MAILROOM_WINDOWS_BUSY: '3',
};
const NOTICE = /^mailroom: Native Windows is not supported: [^\n]* Use WSL: [^\n]*\n/;

const ALGORITHMS = ['hmac-sha256', 'ed25519'] as const;
/** One of them, which the seed says, and in the long set both. */
const CHOSEN = choice(ALGORITHMS, (one) => one === ALGORITHMS[SEED % ALGORITHMS.length]);

describe.each(CHOSEN)('mail commands in a room signed with %s', (algorithm) => {
  it('work where modes, flushes and names are those of Windows, and every third rename is refused for a while', async () => {
    using room = await createExchangeRoom(algorithm);
    await exchangeIn(room, { env: ENV, hasJobs: false });
    expect(namesBelow(room.room).length).toBeGreaterThan(60);
  });
});

it('watches a whole room with one handle, and one mailbox', async () => {
  using room = await createCliRoom();
  const watching = room.run(['watch', '--all', '--headers', '--limit', '1', '--json'], { env: ENV });
  const reading = room.run(['read', '--wait', '5m'], { as: 'bob', env: ENV });
  for (const to of ['alice', 'bob']) {
    expect(await room.run(['send', to, 'INFO', `to ${to}`], { as: 'alice', env: ENV })).toMatchObject({ code: 0 });
  }
  expect(await reading).toMatchObject({ code: 0, stdout: expect.stringContaining('to bob') });
  const { code, stdout } = await watching;
  expect(code).toBe(0);
  expect(stdout.trim().split('\n')).toHaveLength(1);
});

describe('the statement', () => {
  let room: CliRoom;
  beforeAll(async () => {
    room = await createCliRoom();
  });
  afterAll(() => room[Symbol.dispose]());
  const stderrOf = async (words: readonly string[], env: Readonly<Record<string, string>> = ENV): Promise<string> =>
    (await room.run(words, { as: 'alice', env })).stderr;

  it.each([['init'], ['join', 'carol'], ['doctor'], ['run', 'nothing.mjs'], ['hooks', 'status']])(
    'is the first line on stderr of %s %s, and none elsewhere',
    async (...words) => {
      expect(await stderrOf(words)).toMatch(NOTICE);
      expect(await stderrOf(words, {})).not.toMatch(NOTICE);
    },
  );

  const others = [
    ['inbox'],
    ['send', 'bob', 'INFO', 'hello'],
    ['read'],
    ['whoami'],
    ['status'],
    ['agents'],
    ['log'],
    ['help', 'run'],
  ];
  it.each(choice(others, (words) => isTried(others.indexOf(words), KILL_STRIDE)))(
    'is not made by %s %s',
    async (...words) => {
      expect(await stderrOf(words)).not.toContain('Windows is not supported');
    },
  );

  it('leaves the output of join fit for a shell to run', async () => {
    const { code, stdout } = await room.run(['join', 'dave'], { env: ENV });
    expect(code).toBe(0);
    expect(stdout).not.toContain('Windows');
  });
});

it('npm start does nothing, and points to WSL', () => {
  const cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-windows-'));
  const args = ['--require', PRELOAD, ...AS_BUILT];
  const env = { PATH: process.env['PATH'] };
  const started = spawnSync(process.execPath, args, { cwd, encoding: 'utf8', env });
  expect(started).toMatchObject({ status: 2, stdout: '' });
  expect(started.stderr).toMatch(/^Native Windows cannot run a team: [^\n]* Use WSL: [^\n]*\n$/);
  expect(fs.existsSync(path.join(cwd, 'runs'))).toBe(false);
  fs.rmSync(cwd, { recursive: true });
});

it('doctor says that it cannot judge permissions, instead of finding all of them wrong', async () => {
  using room = await createCliRoom();
  const { stdout } = await room.run(['doctor'], { as: 'alice', env: ENV });
  expect(stdout).toContain('permissions: not checked');
  expect((await room.run(['doctor'], { as: 'alice' })).stdout).toContain('only you can read the keys and the mail');
});

describe('the file system', () => {
  let directory: string;
  beforeAll(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-windows-'));
  });
  afterAll(() => fs.rmSync(directory, { recursive: true, force: true }));

  const refusing = (
    code: string,
    times: number,
  ): { tries: () => number; rename: (from: string, to: string) => void } => {
    let tries = 0;
    return {
      tries: () => tries,
      rename: (from, to) => {
        if (++tries <= times) throw systemError(code, { name: 'rename', path: from });
        nodeHost.files.rename(from, to);
      },
    };
  };

  it.each(['EPERM', 'EACCES', 'EBUSY'])('retries a rename refused with %s for a while', (code) => {
    const { rename, tries } = refusing(code, 5);
    fs.writeFileSync(path.join(directory, 'a'), 'a');
    posixOnWindows({ ...nodeHost.files, rename }).rename(path.join(directory, 'a'), path.join(directory, code));
    expect(fs.readFileSync(path.join(directory, code), 'utf8')).toBe('a');
    expect(tries()).toBe(6);
  });

  it('gives up after a bounded number of attempts, with the error of the system, and retries nothing else', () => {
    const lasting = refusing('EPERM', Infinity);
    const files = posixOnWindows({ ...nodeHost.files, rename: lasting.rename });
    expect(() => files.rename(path.join(directory, 'b'), path.join(directory, 'c'))).toThrow('EPERM');
    expect(lasting.tries()).toBe(10);
    const gone = refusing('ENOENT', Infinity);
    const others = posixOnWindows({ ...nodeHost.files, rename: gone.rename });
    expect(() => others.rename(path.join(directory, 'b'), path.join(directory, 'c'))).toThrow('ENOENT');
    expect(gone.tries()).toBe(1);
  });

  it('removes a read-only file, but neither a directory nor a file kept by another error', () => {
    const unlink = (file: string): void => {
      const facts = fs.lstatSync(file);
      if (facts.isDirectory() || (facts.mode & 0o200) === 0) throw systemError('EPERM', { name: 'unlink', path: file });
      fs.unlinkSync(file);
    };
    const files = posixOnWindows({ ...nodeHost.files, unlink });
    const file = path.join(directory, 'read-only');
    fs.writeFileSync(file, '', { mode: 0o400 });
    files.unlink(file);
    expect(fs.existsSync(file)).toBe(false);
    fs.mkdirSync(path.join(directory, 'kept'));
    expect(() => files.unlink(path.join(directory, 'kept'))).toThrow('EPERM');
    expect(() => files.unlink(file)).toThrow('ENOENT');
  });

  it('flushes what can be flushed, and ignores no other error', async () => {
    const denied = posixOnWindows({
      ...nodeHost.files,
      fsync: () => Promise.reject(systemError('EPERM', { name: 'fsync', path: '' })),
      fdatasync: () => Promise.reject(systemError('EIO', { name: 'fdatasync', path: '' })),
    });
    await denied.fsync(0);
    await expect(denied.fdatasync(0)).rejects.toThrow('EIO');
  });
});
