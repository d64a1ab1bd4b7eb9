// Root cause: a process cached keys, limits and paths of the room that it had opened, and continued when another room
// was at its path: it refused all of the new room's mail for good, as signed with unknown keys.
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { nodeHost } from '../../src/host/node-host.ts';
import { initRoom, openRoom, type Room } from '../../src/index.ts';
import { roomLayout } from '../../src/message/layout.ts';
import { contextOf } from '../../src/room/room.ts';
import { watchRoom } from '../../src/room/watch-room.ts';
import { until } from '../hostile/until.ts';
import { deadIn, openZoo, readAll, refusedIn, type ZooRoom } from '../hostile/zoo-room.ts';

const MESSAGES = 300;
const NOTE = { to: 'bob', type: 'INFO', content: 'a note' } as const;

let zoo: ZooRoom;
beforeEach(async () => {
  zoo = await openZoo();
});
afterEach(() => zoo[Symbol.asyncDispose]());

/** Another room at the path of the old one, with the same actors and mail for bob. */
async function replaceRoom(messages: number): Promise<{ room: Room; before: string }> {
  fs.rmSync(zoo.directory, { recursive: true });
  await initRoom({ cwd: zoo.base, limits: { rateLimit: 100_000 } });
  const room = await openRoom({ directory: zoo.directory, durability: 'process', nudge: () => {} });
  const alice = await room.join('alice');
  await room.join('bob');
  for (let n = 0; n < messages; n++) await alice.send({ ...NOTE, content: `${n}` });
  return { room, before: everythingIn(zoo.directory) };
}

/** Every path below, with its content and the time of its last change. */
function everythingIn(directory: string): string {
  const entries = fs.readdirSync(directory, { recursive: true, withFileTypes: true });
  const lines = entries.map((entry) => {
    const file = path.join(entry.parentPath, entry.name);
    const { mtimeMs, size } = fs.lstatSync(file);
    return `${file} ${entry.isDirectory() ? '' : `${size} ${mtimeMs}`}`;
  });
  return lines.sort().join('\n');
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const REPLACED = {
  code: 'ROOM_REPLACED',
  hint: 'The new room was not touched. To use it, join it first: mailroom join <address>',
};

describe('another room at the same path', () => {
  it('keeps all its mail from a reader, a watcher and everything else that was opened for the old one', async () => {
    const { room: old, alice, bob } = zoo;
    for (const content of ['held', 'read']) await alice.send({ ...NOTE, content });
    const [held] = await all(bob.inbox({ wait: false }));
    if (!held) throw new Error('nothing was read');
    const waiting = all(bob.inbox()).then(
      () => 'ended',
      (error: unknown) => error,
    );
    const { room, before } = await replaceRoom(MESSAGES);
    expect(await waiting).toMatchObject(REPLACED);
    const tries: readonly [string, () => unknown][] = [
      ['read', () => readAll(bob)],
      ['list', () => bob.list()],
      ['held', () => bob.held()],
      ['claim', () => bob.claim(held.message.id)],
      ['acknowledge', () => bob.acknowledge(held.message.id)],
      ['ack', () => held.ack()],
      ['send', () => alice.send(NOTE)],
      ['send to nobody', () => alice.send({ ...NOTE, to: 'carol' })],
      ['broadcast', () => alice.broadcast(NOTE)],
      ['purge', () => bob.purge()],
      ['leave', () => bob.leave()],
      ['join', () => old.join('dora')],
      ['actors', () => old.actors()],
      ['status', () => old.status(held.message.id)],
      ['watch', () => all(watchRoom(contextOf(old), { address: undefined, signal: new AbortController().signal }))],
    ];
    for (const [what, attempt] of tries) {
      await expect((async () => attempt())(), what).rejects.toMatchObject(REPLACED);
    }
    expect(everythingIn(zoo.directory)).toBe(before);
    const texts = (await readAll(room.agent('bob'))).map(({ content }) => content);
    expect(texts).toEqual(Array.from({ length: MESSAGES }, (_, n) => `${n}`));
    expect(refusedIn(zoo.mailbox).size).toBe(0);
    await room.close();
  });

  it('gets no message that was being written for the old one', async () => {
    let replaced: Awaited<ReturnType<typeof replaceRoom>> | undefined;
    // At the sync of the staged file: everything was checked before, and the link comes next.
    const files = {
      ...nodeHost.files,
      fsync: async (fd: number) => {
        await nodeHost.files.fsync(fd);
        replaced ??= await replaceRoom(1);
      },
    };
    const old = await openRoom({ directory: zoo.directory, host: { ...nodeHost, files }, nudge: () => {} });
    await expect(old.agent('alice').send(NOTE)).rejects.toMatchObject(REPLACED);
    expect(fs.readdirSync(zoo.mailbox.new)).toHaveLength(1);
    await replaced?.room.close();
  });

  it('that is moved away ends waiting readers, with the path, and anything in its place is ignored', async () => {
    const elsewhere = `${zoo.base}/elsewhere`;
    const waiting = all(zoo.bob.inbox()).catch((error: unknown) => error);
    await until('bob has looked', () => zoo.room.actors().some(({ seenAtMs }) => seenAtMs !== undefined));
    fs.renameSync(zoo.directory, elsewhere);
    const gone = { code: 'ROOM_NOT_FOUND', message: expect.stringContaining(`the room ${zoo.directory} is gone`) };
    expect(await waiting).toMatchObject(gone);
    await expect(zoo.alice.send(NOTE)).rejects.toMatchObject(gone);
    expect(fs.existsSync(zoo.directory)).toBe(false);
  });
});

describe('room.json rewritten', () => {
  const rewrite = (change: object): void => {
    const file = roomLayout(zoo.directory).config;
    const config = JSON.parse(fs.readFileSync(file, 'utf8')) as object;
    fs.writeFileSync(`${file}~`, JSON.stringify({ ...config, ...change }));
    fs.renameSync(`${file}~`, file);
  };

  it('by another file, as editors do, ends nobody and takes effect', async () => {
    const big = { ...NOTE, content: 'x'.repeat(300_000) };
    await expect(zoo.alice.send(big)).rejects.toMatchObject({ code: 'MESSAGE_REFUSED' });
    rewrite({ limits: { rateLimit: 100_000, messageBytesMax: 1_000_000 } });
    await zoo.alice.send(big);
    expect(await readAll(zoo.bob)).toHaveLength(1);
  });

  it('is waited for while an editor has moved the old one away, but for no longer than 5 s', async () => {
    let uptimeMs = 1_000;
    const host = { ...nodeHost, clock: { ...nodeHost.clock, uptimeMs: () => uptimeMs } };
    await using room = await openRoom({ directory: zoo.directory, durability: 'process', host });
    const { config } = roomLayout(zoo.directory);
    fs.renameSync(config, `${config}~`);
    await room.agent('alice').send(NOTE);
    fs.writeFileSync(config, '{"version": 1, "room');
    expect(await readAll(room.agent('bob'))).toHaveLength(1);
    fs.rmSync(config);
    uptimeMs += 5_001;
    await expect(readAll(room.agent('bob'))).resolves.toEqual([]);
    uptimeMs += 5_001;
    await expect(readAll(room.agent('bob'))).rejects.toMatchObject({ code: 'ROOM_NOT_FOUND' });
    fs.renameSync(`${config}~`, config);
    await expect(readAll(room.agent('bob'))).resolves.toEqual([]);
  });

  it('with a higher attemptsMax allows another attempt at a message that would be given up', async () => {
    await zoo.alice.send(NOTE);
    for await (const mail of zoo.bob.inbox({ wait: false })) {
      await mail.release();
      break;
    }
    rewrite({ limits: { rateLimit: 100_000, attemptsMax: 1 } });
    // Between the listing and the claim, when cached values are as old as they ever get.
    const files = {
      ...nodeHost.files,
      rename: (from: string, to: string) => {
        if (to.includes('/cur/')) rewrite({ limits: { rateLimit: 100_000, attemptsMax: 3 } });
        nodeHost.files.rename(from, to);
      },
    };
    await using room = await openRoom({
      directory: zoo.directory,
      durability: 'process',
      host: { ...nodeHost, files },
    });
    expect(await readAll(room.agent('bob'))).toHaveLength(1);
    expect(deadIn(zoo.mailbox).size).toBe(0);
  });
});

describe('no final verdict rests on cached values', () => {
  it('a room key restored from a backup is read before anything signed with it is refused', async () => {
    const { roomKey } = roomLayout(zoo.directory);
    const right = fs.readFileSync(roomKey);
    fs.writeFileSync(roomKey, randomBytes(32).toString('hex'));
    await using other = await openRoom({ directory: zoo.directory, durability: 'process' });
    const reader = other.agent('bob');
    // From here on it has the wrong key in memory.
    await other.agent('alice').send({ ...NOTE, content: 'under the wrong key' });
    expect(await readAll(reader)).toHaveLength(1);
    fs.writeFileSync(roomKey, right);
    await zoo.alice.send(NOTE);
    expect(await readAll(reader)).toHaveLength(1);
    expect(refusedIn(zoo.mailbox).size).toBe(0);
  });

  it.each(['hmac-sha256', 'ed25519'] as const)('without keys nothing is refused, %s', async (algorithm) => {
    await using own = await openZoo({ algorithm });
    await own.alice.send(NOTE);
    const layout = roomLayout(own.directory);
    const keys = algorithm === 'hmac-sha256' ? layout.roomKey : layout.publicKeys;
    fs.renameSync(keys, `${keys}.away`);
    await using room = await openRoom({ directory: own.directory, durability: 'process' });
    await expect(readAll(room.agent('bob'))).rejects.toMatchObject({ code: 'ROOM_REFUSED' });
    fs.renameSync(`${keys}.away`, keys);
    expect(await readAll(room.agent('bob'))).toHaveLength(1);
    expect(refusedIn(own.mailbox).size).toBe(0);
  });
});

test('a removed log is begun again with the next record, and the log of another room gets none', async () => {
  const { log } = roomLayout(zoo.directory);
  await zoo.alice.send(NOTE);
  fs.rmSync(log);
  await zoo.alice.send({ ...NOTE, content: 'the next' });
  expect(fs.readFileSync(log, 'utf8')).toContain('the next');
  const { room, before } = await replaceRoom(0);
  contextOf(zoo.room).log.append({ event: 'warning', detail: 'from the old room' });
  expect(everythingIn(zoo.directory)).toBe(before);
  await room.close();
});
