/**
 * On a disk that treats `Bob` and `bob` as one name, as those of macOS and Windows do, no two things of a room share a
 * file. The disk is the real one below a preload, fixtures/disks/folding.cjs, in every process.
 */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCliRoom, type CliRoom, type Ran } from '../cli/cli-room.ts';
import { choice } from '../run/amount.ts';
import { SEED } from '../run/seed.ts';
import { createExchangeRoom, exchangeIn, namesBelow } from './whole-exchange.ts';

const PRELOAD = path.join(import.meta.dirname, '../../fixtures/disks/folding.cjs');
const onFoldingDisk = (disk: string): Record<string, string> => ({
  NODE_OPTIONS: `--require ${PRELOAD}`,
  MAILROOM_FOLDING_DISK: disk,
});
const fold = (name: string): string => name.normalize('NFC').toLowerCase();

const ALGORITHMS = ['hmac-sha256', 'ed25519'] as const;
/** One of them, which the seed says, and in the long set both. */
const CHOSEN = choice(ALGORITHMS, (one) => one === ALGORITHMS[SEED % ALGORITHMS.length]);

describe.each(CHOSEN)('a whole exchange signed with %s', (algorithm) => {
  let room: CliRoom;
  beforeAll(async () => {
    room = await createExchangeRoom(algorithm);
    await exchangeIn(room, { env: onFoldingDisk(room.directory), hasJobs: true });
  });
  afterAll(() => room[Symbol.dispose]());

  it('leaves only names that no disk confuses with one another, and that are legal everywhere', () => {
    const names = namesBelow(room.room);
    console.log(`${algorithm}: ${names.length} names`);
    expect(names.length).toBeGreaterThan(60);
    expect(names.filter((name) => /[^\x21-\x7e]/.test(name))).toEqual([]);
    expect(new Set(names.map(fold)).size).toBe(names.length);
    const parts = names.map((name) => path.basename(name));
    expect(parts.filter((part) => /[<>:"|?*\\]|[. ]$/.test(part))).toEqual([]);
    expect(parts.filter((part) => /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i.test(part))).toEqual([]);
  });
});

describe('a name that exists in another spelling', () => {
  let room: CliRoom;
  let env: Readonly<Record<string, string>>;
  beforeAll(async () => {
    room = await createCliRoom();
    env = onFoldingDisk(path.dirname(room.directory));
  });
  afterAll(() => room[Symbol.dispose]());

  it('does not hide why an address is unavailable, and the hint works', async () => {
    // As after unpacking a room that was made by hand: no actor can have that name, and no listing would show it.
    fs.mkdirSync(path.join(room.room, 'actors/Carol'));
    const refused = await room.run(['join', 'carol'], { env });
    expect(refused).toMatchObject({ code: 6, stdout: '' });
    expect(refused.stderr).toContain(`${room.room}/actors/Carol`);
    const [, move = ''] = /(mv \S+ \S+)/.exec(refused.stderr) ?? [];
    expect(await room.shell(move)).toMatchObject({ code: 0 });
    expect(await room.run(['join', 'carol'], { env })).toMatchObject({ code: 0 });
    expect((await room.run(['agents', '--addresses'], { env })).stdout).toBe('alice\nbob\ncarol\n');
  });

  it('joins again under the address that it has', async () => {
    expect(await room.run(['join', 'carol', '--take-over'], { env })).toMatchObject({ code: 0 });
  });

  it('is not an address', async () => {
    expect(await room.run(['join', 'Carol'], { env })).toMatchObject({ code: 2 });
    expect(await room.run(['send', 'Carol', 'INFO', 'x'], { as: 'alice', env })).toMatchObject({ code: 2 });
  });

  it('is the same room', async () => {
    const other = room.room.replace('/project/', '/PROJECT/').replace('.mailroom', '.Mailroom');
    expect(other).not.toBe(room.room);
    const sent = await room.run(['send', 'bob', 'INFO', 'by the other name', '--room', other], { as: 'alice', env });
    expect(sent).toMatchObject({ code: 0 });
    expect((await room.run(['read'], { as: 'bob', env })).stdout).toContain('by the other name');
    expect((await room.run(['doctor', '--room', other], { as: 'bob', env })).code).toBe(0);
    // One counter, one mailbox, one key: nothing was made beside what existed.
    expect(fs.readdirSync(path.dirname(room.room))).toEqual(['.mailroom']);
  });

  it('is a session of its own, as long as the disk allows it, and takes nobody’s mail', async () => {
    const start = (id: string): Promise<Ran> => {
      const input = { session_id: id, cwd: room.directory, source: 'startup' };
      return room.run(['hook', 'claude', 'SessionStart'], { stdin: JSON.stringify(input), env });
    };
    expect(await start('Session-A')).toMatchObject({ code: 0 });
    expect(await room.run(['send', 'claude-1', 'INFO', 'for the first'], { as: 'alice', env })).toMatchObject({
      code: 0,
    });
    for (const id of ['session-a', 'Session-A', 'session-a']) expect(await start(id)).toMatchObject({ code: 0 });
    const lies = namesBelow(path.join(room.room, 'actors/claude-1/mailbox')).filter((name) => name.includes('.json'));
    // Shown to one of them, and available again once its claim has ended.
    expect(lies).toHaveLength(1);
  });
});
