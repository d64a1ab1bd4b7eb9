import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeHost } from '../../src/host/node-host.ts';
import { Conflict, InvalidInput, LeaseLost, MessageNotFound, openRoom, type Room } from '../../src/index.ts';
import { createSteppedClock, type SteppedClock } from '../hostile/stepped-clock.ts';
import { openZoo, readAll, type ZooRoom } from '../hostile/zoo-room.ts';

let clock: SteppedClock;
let zoo: ZooRoom;
/** The same room, opened as if by another process of the same agents. */
let other: Room;
beforeEach(async () => {
  clock = createSteppedClock();
  zoo = await openZoo({ host: { ...nodeHost, clock } });
  other = await openRoom({ directory: zoo.directory, host: { ...nodeHost, clock } });
});
afterEach(async () => {
  await other.close();
  await zoo[Symbol.asyncDispose]();
});

const send = async (content: string): Promise<string> =>
  (await zoo.alice.send({ to: 'bob', type: 'INFO', content })).id;

describe('list', () => {
  it('shows waiting and claimed mail, oldest first, and moves nothing', async () => {
    const ids = [await send('one'), await send('two'), await send('three')];
    const mail = await zoo.bob.claim(ids[1] ?? '');
    const before = fs.readdirSync(zoo.mailbox.directory, { recursive: true });
    const { unsettled, more, unfit } = zoo.bob.list();
    expect(unsettled.map(({ message, state, attempt }) => [message.content, state, attempt])).toEqual([
      ['one', 'delivered', 0],
      ['two', 'claimed', 1],
      ['three', 'delivered', 0],
    ]);
    expect(unsettled[1]?.untilMs).toBe(mail.leaseEndsAtMs);
    expect({ more, unfit }).toEqual({ more: 0, unfit: 0 });
    expect(zoo.bob.list({ limit: 2 })).toMatchObject({ unsettled: [{}, {}], more: 1 });
    expect(zoo.bob.list({ limit: 0 })).toMatchObject({ unsettled: [], more: 3 });
    expect(fs.readdirSync(zoo.mailbox.directory, { recursive: true })).toEqual(before);
    clock.advance(24 * 3_600_000);
    expect(zoo.bob.list().unsettled[1]).toMatchObject({ state: 'released', attempt: 1, untilMs: 0 });
  });

  it('counts files that nobody may act on, and shows none of them', async () => {
    await send('good');
    await zoo.alice.send({ to: 'bob', type: 'INFO', content: 'over', expiresInMs: 1_000 });
    fs.writeFileSync(path.join(zoo.mailbox.new, 'foreign'), 'x');
    const [name = ''] = fs.readdirSync(zoo.mailbox.new).sort();
    fs.writeFileSync(path.join(zoo.mailbox.new, name.replace('alice', 'mallory')), 'forged');
    clock.advance(2_000);
    const { unsettled, unfit } = zoo.bob.list();
    expect(unsettled.map(({ message }) => message.content)).toEqual(['good']);
    expect(unfit).toBe(3);
  });

  it('shows a message only once that was claimed and then sent again', async () => {
    const id = await send('one');
    await zoo.bob.claim(id);
    const name = `${id}.alice.json`;
    const [claimed = ''] = fs.readdirSync(zoo.mailbox.cur);
    fs.linkSync(path.join(zoo.mailbox.cur, claimed), path.join(zoo.mailbox.new, name));
    expect(zoo.bob.list().unsettled).toMatchObject([{ message: { id }, state: 'claimed' }]);
  });
});

describe('claim by id', () => {
  it('claims a message by any ending that is unique', async () => {
    const id = await send('one');
    await send('two');
    const mail = await zoo.bob.claim(id.slice(-8));
    expect(mail.message).toMatchObject({ id, content: 'one' });
    expect(zoo.room.status(id)).toMatchObject([{ state: 'claimed', attempt: 1 }]);
    await mail.ack();
    expect((await readAll(zoo.bob)).map(({ content }) => content)).toEqual(['two']);
  });

  it('returns what another process of the same agent holds, without counting an attempt', async () => {
    const id = await send('one');
    const held = await other.agent('bob').claim(id, { leaseMs: 60_000 });
    expect(zoo.bob.held().map(({ message }) => message.id)).toEqual([id]);
    const mail = await zoo.bob.claim(id);
    expect(mail.attempt).toBe(1);
    expect(mail.leaseEndsAtMs).toBe(held.leaseEndsAtMs);
    await mail.ack();
    await expect(held.ack()).rejects.toThrow(LeaseLost);
    expect(zoo.bob.held()).toEqual([]);
  });

  it('takes over released and expired claims as a further attempt', async () => {
    const id = await send('one');
    await (await other.agent('bob').claim(id)).release();
    expect((await zoo.bob.claim(id)).attempt).toBe(2);
    clock.advance(24 * 3_600_000);
    expect(zoo.bob.held()).toEqual([]);
    expect((await zoo.bob.claim(id)).attempt).toBe(3);
  });

  it('says what is wrong with an id that is unknown, ambiguous or already handled', async () => {
    const ids = [await send('one'), await send('two')];
    const shared = ids.map((id) => id.slice(0, 8));
    expect(shared[0]).toBe(shared[1]);
    await expect(zoo.bob.claim('xyz')).rejects.toThrow(InvalidInput);
    await expect(zoo.bob.claim('ffffffff')).rejects.toThrow(MessageNotFound);
    await zoo.bob.acknowledge(ids[0] ?? '');
    await expect(zoo.bob.claim(ids[0] ?? '')).rejects.toThrow(/was already acknowledged/);
    for await (const mail of zoo.bob.inbox({ wait: false })) await mail.reject('no');
    await expect(zoo.bob.claim(ids[1] ?? '')).rejects.toThrow(/is a dead letter \(rejected: no\)/);
  });

  it('refuses an ambiguous ending, unless one of the two messages was handled long ago', async () => {
    // Ids made by hand, because random ones never end alike.
    const [first = '', second = ''] = ['a', 'b'].map((digit) => `01900000-0000-7000-8000-${digit}00000001234`);
    for (const id of [first, second]) await zoo.alice.send({ to: 'bob', type: 'INFO', content: id, id });
    await expect(zoo.bob.claim('1234')).rejects.toThrow(Conflict);
    await expect(zoo.bob.claim('00001234')).rejects.toThrow(Conflict);
    await zoo.bob.acknowledge(first);
    await expect(zoo.bob.claim('1234')).rejects.toThrow(Conflict);
    expect((await zoo.bob.claim('00001234')).message.id).toBe(second);
  });
});

describe('acknowledge by id', () => {
  it('handles waiting, held and expired messages, and is idempotent', async () => {
    const ids = [await send('waits'), await send('held'), await send('ran out')];
    await other.agent('bob').claim(ids[2] ?? '', { leaseMs: 1_000 });
    clock.advance(2_000);
    await other.agent('bob').claim(ids[1] ?? '');
    for (const id of [...ids, ...ids]) expect(await zoo.bob.acknowledge(id.slice(-12))).toBe(id);
    for (const id of ids) expect(zoo.room.status(id)).toMatchObject([{ state: 'acknowledged' }]);
  });

  it('does not give up a message for being one attempt too old', async () => {
    const id = await send('hard');
    for (let attempt = 1; attempt <= 5; attempt++) await (await zoo.bob.claim(id)).release();
    expect(await zoo.bob.acknowledge(id)).toBe(id);
    expect(zoo.room.status(id)).toMatchObject([{ state: 'acknowledged' }]);
  });
});
