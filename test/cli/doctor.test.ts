import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { checkFileSystem } from '../../src/cli/doctor/check-file-system.ts';
import { checkMounts, checkWatching } from '../../src/cli/doctor/check-host.ts';
import { checkMailboxes } from '../../src/cli/doctor/check-mailboxes.ts';
import type { FileSystem } from '../../src/host/file-system.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { openRoom } from '../../src/index.ts';
import { createCliRoom, type CliRoom } from './cli-room.ts';

interface Finding {
  readonly check: string;
  readonly level: string;
  readonly text: string;
}

async function examine(room: CliRoom, ...options: string[]): Promise<{ code: number | null; findings: Finding[] }> {
  const ran = await room.run(['doctor', '--json', ...options]);
  return { code: ran.code, findings: JSON.parse(ran.stdout) as Finding[] };
}

it.each(['hmac-sha256', 'ed25519'] as const)(
  'finds nothing wrong with a new room, and says what %s is worth',
  async (algorithm) => {
    using room = await createCliRoom({ algorithm });
    const { code, findings } = await examine(room);
    expect(code).toBe(0);
    expect(findings.filter(({ level }) => level !== 'ok')).toEqual([]);
    expect(findings.find(({ check }) => check === 'security level')?.text).toMatch(
      algorithm === 'ed25519'
        ? /^ed25519: .*isolated only where/
        : /^hmac-sha256: whoever can read .*room\.key can sign as anyone/,
    );
    expect(findings.map(({ check }) => check)).toEqual(
      expect.arrayContaining(['room', 'permissions', 'hard links', 'file system', 'watching', 'tmux', 'mailboxes']),
    );
  },
);

it('finds keys and mail that others can read, abandoned files, and mends both with --fix', async () => {
  using room = await createCliRoom();
  const hourAgo = Date.now() / 1000 - 7200;
  const abandoned = ['tmp', 'actors/bob/mailbox/tmp'].map((directory) => path.join(room.room, directory, 'abandoned'));
  for (const file of abandoned) {
    fs.writeFileSync(file, 'x', { mode: 0o600 });
    fs.utimesSync(file, hourAgo, hourAgo);
  }
  fs.chmodSync(path.join(room.room, 'keys/room.key'), 0o644);
  fs.chmodSync(path.join(room.room, 'actors/bob/mailbox/new'), 0o755);

  const before = await examine(room);
  expect(before.code).toBe(1);
  expect(before.findings.filter(({ level }) => level === 'wrong').map(({ check }) => check)).toEqual([
    'permissions',
    'abandoned files',
  ]);
  const told = await room.run(['doctor']);
  expect(told.stdout).toContain('mailroom doctor --fix');

  const fixed = await examine(room, '--fix');
  expect(fixed.findings.filter(({ level }) => level !== 'ok')).toEqual([]);
  expect(fixed.code).toBe(0);
  expect(fs.statSync(path.join(room.room, 'keys/room.key')).mode & 0o777).toBe(0o600);
  expect(fs.statSync(path.join(room.room, 'actors/bob/mailbox/new')).mode & 0o777).toBe(0o700);
  expect(abandoned.filter((file) => fs.existsSync(file))).toEqual([]);
});

it('notes dead letters and claims that ran out, and finds a full mailbox wrong', async () => {
  using room = await createCliRoom({ limits: { newMessagesMax: 4 } });
  await using opened = await openRoom({ cwd: room.directory });
  const alice = opened.agent('alice');
  await alice.send({ to: 'bob', type: 'INFO', content: 'expired', expiresInMs: 1 });
  for await (const mail of opened.agent('bob').inbox({ wait: false })) await mail.ack();
  await alice.send({ to: 'bob', type: 'INFO', content: 'claimed' });
  for await (const mail of opened.agent('bob').inbox({ wait: false })) await mail.release();
  for (const content of ['one', 'two']) await room.run(['send', 'bob', 'INFO', content], { as: 'alice' });
  const { code, findings } = await examine(room);
  expect(findings.filter(({ level }) => level !== 'ok')).toMatchObject([
    {
      check: 'mailboxes',
      level: 'wrong',
      text: expect.stringContaining('2 waiting messages of at most 4: 2 from alice; it is full for alice'),
    },
    { check: 'claims', level: 'note', text: expect.stringContaining('1 messages of bob') },
    { check: 'dead letters', level: 'note', text: expect.stringContaining('1 dead letters and 0 refused') },
  ]);
  expect(code).toBe(1);
});

it('says what is wrong with a room in which nothing can be written, and goes on to the next check', async () => {
  using room = await createCliRoom();
  const abandoned = path.join(room.room, 'tmp', 'abandoned');
  fs.writeFileSync(abandoned, '');
  fs.utimesSync(abandoned, 0, 0);
  const readOnly = (): never => {
    throw Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' });
  };
  const files: FileSystem = {
    ...nodeHost.files,
    open: (file, flags, ...more) =>
      flags & fs.constants.O_CREAT ? readOnly() : nodeHost.files.open(file, flags, ...more),
    link: readOnly,
    unlink: readOnly,
  };
  await using opened = await openRoom({ directory: room.room, host: { ...nodeHost, files } });
  const findings: (Finding & { hint?: string })[] = [];
  for (const check of [checkFileSystem, checkWatching, checkMailboxes]) {
    findings.push(...(await check(opened, { fix: true })));
  }
  expect(findings.at(-1)?.hint).toMatch(/^They could not be removed/);
  const told = findings.map(({ check, level, text }) => [check, level, text]);
  expect(told).toEqual([
    ['hard links', 'wrong', expect.stringContaining('no file could be written and linked')],
    ['file system', 'ok', expect.any(String)],
    ['watching', 'note', expect.stringMatching(/^not tested: .*EROFS/)],
    ['abandoned files', 'wrong', expect.stringContaining(abandoned)],
  ]);
});

it('finds the parts of a room that lie on another file system than those they are linked and renamed to', async () => {
  using room = await createCliRoom();
  const apart = [`${room.room}/keys`, `${room.room}/actors/bob/mailbox/cur`];
  const lstat: FileSystem['lstat'] = (file) => {
    const facts = nodeHost.files.lstat(file);
    return facts && apart.includes(file) ? { ...facts, dev: facts.dev + 1 } : facts;
  };
  await using whole = await openRoom({ directory: room.room });
  expect(await checkMounts(whole, { fix: false })).toMatchObject([{ level: 'ok' }]);
  const files = { ...nodeHost.files, lstat };
  await using opened = await openRoom({ directory: room.room, host: { ...nodeHost, files } });
  const findings = await checkMounts(opened, { fix: false });
  expect(findings.map(({ level, text }) => [level, text.split(' ')[0]])).toEqual(apart.map((file) => ['wrong', file]));
});
