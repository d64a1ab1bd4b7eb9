import fs from 'node:fs';
import { expect, test } from 'vitest';
import { idAt } from '../../fixtures/zoo/forge.ts';
import type { Host } from '../../src/host/host.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { openRoom, type Agent, type Mail } from '../../src/index.ts';
import { actorLayout, roomLayout } from '../../src/message/layout.ts';
import { createSteppedClock, type SteppedClock } from '../hostile/stepped-clock.ts';
import { formatTime } from '../../src/message/format-time.ts';
import { openZoo, readAll, reasonsIn } from '../hostile/zoo-room.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const LEASE_MS = 10 * MINUTE_MS;
const LIMIT = 5;
const WINDOW_S = 60;
const JUMP_AT_S = 90;
const OFFSETS = [
  ['ahead', HOUR_MS],
  ['behind', -HOUR_MS],
] as const;

/** Everything of this machine except the clock, which shows the hour that a process on it believes in. */
function hostAt(nowMs: number): Host & { readonly clock: SteppedClock } {
  return { ...nodeHost, clock: createSteppedClock(nowMs) };
}

async function claimOne(agent: Agent): Promise<Mail> {
  for await (const mail of agent.inbox({ wait: false })) return mail;
  throw new Error('there is no mail');
}

const DRAFT = { to: 'bob', type: 'INFO', content: 'x' };

test.each(OFFSETS)('mail goes both ways between processes of which one is an hour %s', async (_title, offsetMs) => {
  const now = Date.now();
  await using zoo = await openZoo({ host: hostAt(now) });
  const off = await openRoom({ directory: zoo.directory, host: hostAt(now + offsetMs) });
  const [aliceOff, bobOff] = [off.agent('alice'), off.agent('bob')];
  const sent = [
    (await zoo.alice.send(DRAFT)).id,
    (await aliceOff.send(DRAFT)).id,
    (await zoo.alice.send({ ...DRAFT, expiresInMs: 2 * HOUR_MS })).id,
  ];
  const read = [...(await readAll(bobOff)), ...(await readAll(zoo.bob))].map(({ id }) => id);
  expect(read.toSorted()).toEqual(sent.toSorted());
  for (const id of sent) expect(off.status(id)).toMatchObject([{ state: 'acknowledged' }]);
  expect(fs.readdirSync(zoo.mailbox.refused)).toEqual([]);
  await off.close();
});

test.each(OFFSETS)(
  'a clock set an hour %s frees at most one window, and locks no sender out for longer',
  async (title, offsetMs) => {
    const host = hostAt(Date.now());
    await using zoo = await openZoo({ host });
    const config = `${zoo.directory}/room.json`;
    fs.writeFileSync(config, fs.readFileSync(config, 'utf8').replace(/"rateLimit": \d+/, `"rateLimit": ${LIMIT}`));
    const room = await openRoom({ directory: zoo.directory, host });
    const granted: number[] = [];
    const refusals: unknown[] = [];
    for (let second = 0; second < 4 * WINDOW_S; second++) {
      if (second === JUMP_AT_S) host.clock.advance(offsetMs);
      await room
        .agent('alice')
        .send(DRAFT)
        .then(() => granted.push(second))
        .catch((error: unknown) => refusals.push(error));
      host.clock.advance(1_000);
    }
    const refused = { code: 'RATE_LIMIT_EXCEEDED', hint: expect.stringContaining('Wait until then') };
    expect(refusals).toMatchObject(refusals.map(() => refused));
    const inWindowFrom = (from: number): number => granted.filter((at) => at >= from && at < from + WINDOW_S).length;
    const most = Math.max(...granted.map(inWindowFrom));
    const firstAfterJump = granted.find((at) => at >= JUMP_AT_S) ?? Infinity;
    console.log(`an hour ${title}: granted at ${granted.join(' ')} s, at most ${most} in one window`);
    // A clock set forward cannot be distinguished from time that has passed.
    expect(most).toBeLessThanOrEqual(offsetMs > 0 ? 2 * LIMIT : LIMIT);
    expect(firstAfterJump - JUMP_AT_S).toBeLessThanOrEqual(WINDOW_S + 1);
    await room.close();
  },
);

test('a lease from a clock an hour behind has ended for others at once: the message comes again, and its first holder learns of it', async () => {
  const now = Date.now();
  await using zoo = await openZoo({ host: hostAt(now) });
  const off = await openRoom({ directory: zoo.directory, host: hostAt(now - HOUR_MS) });
  await zoo.alice.send(DRAFT);
  const held = await claimOne(off.agent('bob'));
  const again = await claimOne(zoo.bob);
  expect(again).toMatchObject({ attempt: 2, message: { id: held.message.id } });
  await expect(held.ack()).rejects.toMatchObject({
    code: 'LEASE_LOST',
    hint: expect.stringContaining('mailroom status'),
  });
  await again.ack();
  await off.close();
});

test('a lease from a clock an hour ahead ends an hour later for others, and then the message comes again', async () => {
  const now = Date.now();
  const host = hostAt(now);
  await using zoo = await openZoo({ host });
  const off = await openRoom({ directory: zoo.directory, host: hostAt(now + HOUR_MS) });
  await zoo.alice.send(DRAFT);
  const held = await claimOne(off.agent('bob'));
  expect(await readAll(zoo.bob)).toEqual([]);
  host.clock.advance(HOUR_MS + LEASE_MS);
  expect(await readAll(zoo.bob)).toMatchObject([{ id: held.message.id }]);
  await off.close();
});

test('a process an hour behind or ahead can send a message again; an id of another day is refused in one line', async () => {
  const now = Date.now();
  await using zoo = await openZoo({ host: hostAt(now) });
  const ahead = await openRoom({ directory: zoo.directory, host: hostAt(now + HOUR_MS) });
  const aliceAhead = ahead.agent('alice');
  const again = { bob: { outcome: 'delivered', again: true } };
  const { id } = await aliceAhead.send(DRAFT);
  expect((await zoo.alice.send({ ...DRAFT, id })).outcomes).toEqual(again);
  const first = await zoo.alice.send(DRAFT);
  expect((await aliceAhead.send({ ...DRAFT, id: first.id })).outcomes).toEqual(again);
  expect(await readAll(zoo.bob)).toHaveLength(2);
  const farAhead = idAt(now + 25 * HOUR_MS);
  await expect(zoo.alice.send({ ...DRAFT, id: farAhead })).rejects.toMatchObject({
    code: 'MESSAGE_REFUSED',
    reason: 'from-the-future',
    message: expect.stringContaining(`its id is from ${formatTime(now + 25 * HOUR_MS)}`),
    hint: expect.stringContaining('with the same id'),
  });
  await ahead.close();
});

test('a message that expires within the hour is a dead letter for a reader an hour ahead', async () => {
  const now = Date.now();
  await using zoo = await openZoo({ host: hostAt(now) });
  const ahead = await openRoom({ directory: zoo.directory, host: hostAt(now + HOUR_MS) });
  await zoo.alice.send({ ...DRAFT, expiresInMs: 30 * MINUTE_MS });
  expect(await readAll(ahead.agent('bob'))).toEqual([]);
  expect(reasonsIn(zoo.mailbox.dead)).toMatchObject([{ reason: 'expired' }]);
  await ahead.close();
});

test('a clock that jumped two days ahead purges nothing, and says so with what to do', async () => {
  const host = hostAt(Date.now());
  await using zoo = await openZoo({ host });
  await zoo.alice.send(DRAFT);
  await readAll(zoo.bob);
  const jumped: Host = {
    ...host,
    clock: { ...host.clock, now: () => host.clock.now() + 40 * 24 * HOUR_MS, uptimeMs: () => host.clock.uptimeMs() },
  };
  const room = await openRoom({ directory: zoo.directory, host: jumped });
  await expect(room.agent('bob').purge()).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringMatching(/^Nothing was purged for bob: the clock has jumped by 960\.0 hours/),
    hint: expect.stringContaining('If that is right, purge again.'),
  });
  expect(fs.existsSync(actorLayout(roomLayout(zoo.directory), 'bob').mailbox.purgedThrough)).toBe(false);
  await room.close();
});
