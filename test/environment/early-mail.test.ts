import fs from 'node:fs';
import { expect, test } from 'vitest';
import type { FileSystem } from '../../src/host/file-system.ts';
import type { Host } from '../../src/host/host.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { openRoom } from '../../src/index.ts';
import { mailboxOf } from '../../src/room/context.ts';
import { contextOf } from '../../src/room/room.ts';
import { watchRoom } from '../../src/room/watch-room.ts';
import { createSteppedClock, type SteppedClock } from '../hostile/stepped-clock.ts';
import { until } from '../hostile/until.ts';
import { logged, openZoo, readAll, reasonsIn } from '../hostile/zoo-room.ts';

// Root cause: a reader whose clock was set back by more than a day refused all waiting mail, for good, as from the
// future.

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const POLL_MS = 1_000;
const DRAFT = { to: 'bob', type: 'INFO', content: 'x' };
const TOO_EARLY = { code: 'MESSAGE_REFUSED', reason: 'from-the-future', hint: expect.stringContaining('date -u') };

function hostAt(nowMs: number): Host & { readonly clock: SteppedClock } {
  return { ...nodeHost, clock: createSteppedClock(nowMs) };
}

test('mail from the future is left unopened where it is, and read once the clock agrees', async () => {
  const opened: string[] = [];
  const open: FileSystem['open'] = (path, ...rest) => {
    opened.push(path);
    return nodeHost.files.open(path, ...rest);
  };
  const host = { ...hostAt(Date.now()), files: { ...nodeHost.files, open } };
  await using zoo = await openZoo({ host });
  const { id } = await zoo.alice.send(DRAFT);
  const sentMs = host.clock.now();
  const name = `${id}.alice.json`;
  host.clock.advance(-30 * HOUR_MS);
  const readableFromMs = sentMs - DAY_MS;
  expect(await readAll(zoo.bob)).toEqual([]);
  expect(fs.readdirSync(zoo.mailbox.new)).toEqual([name]);
  expect(reasonsIn(zoo.mailbox.refused)).toEqual([]);
  expect(zoo.bob.list()).toMatchObject({
    unsettled: [],
    unfit: 0,
    more: 0,
    early: [{ id, from: 'alice', readableFromMs }],
  });
  expect(zoo.room.actors().find(({ card }) => card.address === 'bob')?.waiting).toBe(0);
  expect(zoo.room.status(id)).toMatchObject([{ state: 'delivered', readableFromMs }]);
  await expect(zoo.bob.claim(id)).rejects.toMatchObject(TOO_EARLY);
  expect(opened.filter((path) => path.includes(name))).toEqual([]);
  host.clock.advance(6 * HOUR_MS - 1);
  expect(await readAll(zoo.bob)).toEqual([]);
  host.clock.advance(1);
  expect(zoo.room.status(id)).toEqual([expect.not.objectContaining({ readableFromMs })]);
  expect(await readAll(zoo.bob)).toMatchObject([{ id }]);
});

test('a waiting reader is not woken by it, and is once it is due, without a hint', async () => {
  const host = hostAt(Date.now());
  await using zoo = await openZoo({ host });
  const { id } = await zoo.alice.send(DRAFT);
  host.clock.advance(-30 * HOUR_MS);
  const ending = new AbortController();
  const read: string[] = [];
  const watched: string[] = [];
  const reading = (async () => {
    for await (const { message } of zoo.bob.inbox({ signal: ending.signal, watch: false, pollMs: POLL_MS }))
      read.push(message.id);
  })();
  const watching = (async () => {
    for await (const { message } of watchRoom(contextOf(zoo.room), { address: 'bob', signal: ending.signal })) {
      watched.push(message.id);
    }
  })();
  await until('all wait', () => host.clock.sleepers >= 2);
  host.clock.advance(POLL_MS);
  await until('all wait', () => host.clock.sleepers >= 2);
  expect([read, watched]).toEqual([[], []]);
  host.clock.advance(6 * HOUR_MS);
  await until('both have it', () => watched.length > 0 && read.length > 0);
  expect([read, watched]).toEqual([[id], [id]]);
  ending.abort();
  await Promise.all([reading, watching]);
});

test('a message claimed before the clock was set back can be acknowledged, and is taken over only once it is due', async () => {
  const host = hostAt(Date.now());
  await using zoo = await openZoo({ host });
  const ids = [(await zoo.alice.send(DRAFT)).id, (await zoo.alice.send(DRAFT)).id];
  const mails = [await zoo.bob.claim(ids[0] ?? ''), await zoo.bob.claim(ids[1] ?? '')];
  host.clock.advance(-30 * HOUR_MS);
  await mails[0]?.ack();
  expect(await readAll(zoo.bob)).toEqual([]);
  expect(zoo.bob.list()).toMatchObject({ unsettled: [], early: [{ id: ids[1] }] });
  await expect(zoo.bob.claim(ids[1] ?? '')).rejects.toMatchObject(TOO_EARLY);
  host.clock.advance(30 * HOUR_MS);
  expect(await readAll(zoo.bob, () => {})).toEqual([]);
  host.clock.advance(HOUR_MS);
  expect(await readAll(zoo.bob)).toMatchObject([{ id: ids[1] }]);
  expect(reasonsIn(zoo.mailbox.refused)).toEqual([]);
});

test('early mail can be acknowledged by its id, so that a wrong clock of its sender leaves nothing behind', async () => {
  const host = hostAt(Date.now());
  await using zoo = await openZoo({ host });
  const ahead = await openRoom({ directory: zoo.directory, host: hostAt(host.clock.now() + 300 * DAY_MS) });
  const { id } = await ahead.agent('alice').send(DRAFT);
  expect(zoo.bob.list().early).toHaveLength(1);
  expect(await zoo.bob.acknowledge(id.slice(-8))).toBe(id);
  expect(zoo.room.status(id)).toMatchObject([{ state: 'acknowledged' }]);
  await ahead.close();
});

test('a sender whose last id is too far ahead takes its ids from the clock again, and the log says so', async () => {
  const host = hostAt(Date.now());
  await using zoo = await openZoo({ host });
  const first = await zoo.alice.send(DRAFT);
  host.clock.advance(-DAY_MS);
  const second = await zoo.alice.send(DRAFT);
  expect(second.id > first.id, 'as long as they are read at once, ids go on rising').toBe(true);
  expect(logged(zoo.directory, 'clock-back')).toEqual([]);
  host.clock.advance(-HOUR_MS);
  const sent = [(await zoo.alice.send(DRAFT)).id, (await zoo.alice.send(DRAFT)).id];
  expect(logged(zoo.directory, 'clock-back')).toMatchObject([
    { from: 'alice', detail: expect.stringContaining('set back by 25.0 h') },
  ]);
  expect(sent).toEqual(sent.toSorted());
  expect((await readAll(zoo.bob)).map(({ id }) => id)).toEqual(sent);
  host.clock.advance(25 * HOUR_MS);
  expect((await readAll(zoo.bob)).map(({ id }) => id)).toEqual([first.id, second.id]);
});

test('a retry under an id too far ahead is refused with the reason, and delivered once the clock agrees', async () => {
  const host = hostAt(Date.now());
  await using zoo = await openZoo({ host });
  const { id } = await zoo.alice.send(DRAFT);
  await readAll(zoo.bob);
  host.clock.advance(-DAY_MS - 1);
  await expect(zoo.alice.send({ ...DRAFT, id })).rejects.toMatchObject(TOO_EARLY);
  host.clock.advance(1);
  expect((await zoo.alice.send({ ...DRAFT, id })).outcomes).toEqual({ bob: { outcome: 'delivered', again: true } });
});

test('early mail counts towards the limit of a mailbox', async () => {
  const host = hostAt(Date.now());
  await using zoo = await openZoo({ host });
  const mailbox = mailboxOf(contextOf(zoo.room), 'bob');
  Object.assign(mailbox?.limits ?? {}, { newMessagesMax: 2 });
  await zoo.alice.send(DRAFT);
  host.clock.advance(-30 * HOUR_MS);
  await expect(zoo.alice.send(DRAFT)).rejects.toMatchObject({ code: 'MAILBOX_FULL' });
});

test.each([
  { limit: 'messageBytesMax', value: 1_000, draft: { content: 'x'.repeat(2_000) } },
  { limit: 'jsonDepthMax', value: 3, draft: { data: [[[[1]]]] } },
])('a delivered message can be read even after $limit is lowered', async ({ limit, value, draft }) => {
  await using zoo = await openZoo();
  const { id } = await zoo.alice.send({ ...DRAFT, ...draft });
  const config = `${zoo.directory}/room.json`;
  const set = JSON.parse(fs.readFileSync(config, 'utf8')) as { limits: Record<string, number> };
  fs.writeFileSync(config, JSON.stringify({ ...set, limits: { ...set.limits, [limit]: value } }));
  const lowered = await openRoom({ directory: zoo.directory });
  expect(await readAll(lowered.agent('bob'))).toMatchObject([{ id }]);
  await expect(lowered.agent('alice').send({ ...DRAFT, ...draft })).rejects.toMatchObject({ code: 'MESSAGE_REFUSED' });
  await lowered.close();
});
