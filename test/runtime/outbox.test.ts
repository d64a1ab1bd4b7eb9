import fs from 'node:fs';
import path from 'node:path';
import { setup } from 'xstate';
import { expect, test } from 'vitest';
import { contextOf } from '../../src/room/room.ts';
import { Outbox } from '../../src/runtime/outbox.ts';
import { ProgressKeeper } from '../../src/runtime/progress.ts';
import { sealEntry } from '../../src/runtime/deliver-entry.ts';
import type { Mailbox } from '../../src/mailbox/mailbox.ts';
import { actorLayout, roomLayout } from '../../src/message/layout.ts';
import { createIdSource } from '../../src/index.ts';
import { nodeHost, type Host } from '../../src/runtime.ts';
import { tell } from '../../src/workflow.ts';
import { counter } from './machines.ts';
import { createSteppedClock } from '../hostile/stepped-clock.ts';
import { logged } from '../hostile/zoo-room.ts';
import { eventually, texts, WorkflowRoom } from './workflow-room.ts';

test.each(['process', 'power'] as const)(
  'messages to one recipient arrive in the order of the steps, however often a delivery fails for now (%s)',
  async (durability) => {
    await using room = await WorkflowRoom.make({ durability });
    const alice = await (await room.open()).join('alice');
    const linked: string[] = [];
    const { host, workflow } = await room.run(counter, { on: failingNowAndThen(linked) });
    for (let n = 1; n <= 60; n++) {
      await alice.send({ to: 'counter', type: 'NOTE', content: '', data: { n }, durability: 'process' });
    }
    await alice.send({ to: 'counter', type: 'FINISH', content: '', durability: 'process' });
    expect(await workflow.result).toMatchObject({ status: 'done' });
    await host.close();
    const sums = Array.from({ length: 60 }, (_, index) => `INFO sum ${((index + 1) * (index + 2)) / 2}`);
    expect(texts(alice)).toEqual(sums);
    // Ids rise with the steps, so this is the order in which they became visible.
    expect(linked).toEqual([...linked].sort());
    expect(linked).toHaveLength(60);
  },
);

test('a delivery during an append is written with the next record', () => {
  // The record kept the list itself, so that it dropped ids which no record had: the workflow then waited for ever.
  const progress = new ProgressKeeper({ mailbox: {} as Mailbox, durability: 'process', performed: 0 });
  progress.delivered('first');
  const record = progress.next();
  progress.delivered('second');
  record.written();
  expect(record.progress.delivered).toEqual(['first']);
  expect(progress.next().progress.delivered).toEqual(['second']);
});

test('a burst that a power loss cut short lets no message overtake another', async () => {
  await using room = await WorkflowRoom.make({ durability: 'power' });
  const linked: string[] = [];
  const opened = await room.open(failingNowAndThen(linked, new Set([3])));
  const alice = await opened.join('alice');
  await opened.join('sender');
  const context = contextOf(opened);
  const ids = createIdSource(nodeHost.randomBytes);
  const [a, b, c] = ['a', 'b', 'c'].map((content) => {
    const draft = { to: ['alice'], type: 'INFO', content };
    return sealEntry(context, {
      mail: { id: ids.next(Date.now()), effectId: content, to: ['alice'], draft, isControl: false },
      from: 'sender',
    });
  });
  if (!a || !b || !c) throw new Error('there are three');
  const outbox = (): Outbox =>
    new Outbox({
      context,
      address: 'sender',
      durability: 'power',
      childReady: async () => {},
      onDelivered: () => {},
      onRefused: () => {},
    });
  const before = outbox();
  for (const entry of [a, b]) before.add(entry, { isRepeat: false });
  await eventually('both are there', () => before.size === 0);
  await before.close();
  const { mailbox } = actorLayout(roomLayout(room.directory), 'alice');
  const [first = ''] = linked.splice(0);
  fs.rmSync(path.join(mailbox.new, first));
  // The first one is linked only at its second attempt; the messages behind it must wait for that.
  const after = outbox();
  for (const entry of [a, b]) after.add(entry, { isRepeat: true });
  after.add(c, { isRepeat: false });
  await eventually('all are there', () => after.size === 0);
  await after.close();
  expect(linked.map((name) => (name.includes(a.id) ? 'a' : 'c'))).toEqual(['a', 'c']);
  expect(texts(alice)).toEqual(['INFO a', 'INFO b', 'INFO c']);
});

test('a message from before the clock was set back waits in the outbox, and is sent once the clock agrees', async () => {
  await using room = await WorkflowRoom.make();
  const clock = createSteppedClock();
  const opened = await room.open({ ...nodeHost, clock });
  const alice = await opened.join('alice');
  await opened.join('sender');
  const context = contextOf(opened);
  const id = createIdSource(nodeHost.randomBytes).next(clock.now());
  const draft = { to: ['alice'], type: 'INFO', content: 'late' };
  const entry = sealEntry(context, {
    mail: { id, effectId: 'e', to: ['alice'], draft, isControl: false },
    from: 'sender',
  });
  const ended: string[] = [];
  const outbox = new Outbox({
    context,
    address: 'sender',
    durability: 'process',
    childReady: async () => {},
    onDelivered: () => ended.push('delivered'),
    onRefused: () => ended.push('refused'),
  });
  clock.advance(-30 * 3_600_000);
  outbox.add(entry, { isRepeat: false });
  await eventually('it waits for another try', () => clock.sleepers === 1);
  clock.advance(1_000);
  await eventually('it waits once more', () => clock.sleepers === 1);
  expect({ ended, size: outbox.size, there: texts(alice) }).toEqual({ ended: [], size: 1, there: [] });
  const said = logged(room.directory, 'warning').map(({ detail }) => detail);
  expect(said).toEqual([expect.stringContaining('its id is from')]);
  clock.advance(30 * 3_600_000);
  await eventually('it is delivered', () => ended.length > 0);
  expect(ended).toEqual(['delivered']);
  expect(texts(alice)).toEqual(['INFO late']);
  await outbox.close();
});

test('many messages stuck at one recipient delay no other recipient, and are later delivered in order', async () => {
  // Each round looked at the first 256 messages, which were all for the recipient whose mailbox is full.
  await using room = await WorkflowRoom.make({ inMemory: true, actors: { alice: { newMessagesMax: 40 } } });
  const opened = await room.open();
  const [alice, bob] = [await opened.join('alice'), await opened.join('bob')];
  const child = setup({}).createMachine({ id: 'child', initial: 'a', states: { a: {} } });
  const machine = setup({ actors: { child } }).createMachine({
    id: 'teller',
    initial: 'telling',
    states: {
      telling: {
        invoke: { id: 'child', src: 'child' },
        entry: Array.from({ length: 300 }, (_, n) => tell('alice', { type: 'INFO', content: `${n}` })),
        after: { 100: 'over' },
      },
      over: { entry: tell(['alice', 'bob'], { type: 'INFO', content: 'over' }), type: 'final' },
    },
  });
  const { host } = await room.run(machine);
  await eventually('bob is told', () => texts(bob)[0] === 'INFO over');
  await eventually('the child is stopped', () => room.state('teller.child-1')?.state?.status === 'stopped');
  await eventually('the mailbox is full', () => texts(alice).length === 20);
  expect(texts(alice)).toEqual(Array.from({ length: 20 }, (_, n) => `INFO ${n}`));
  for await (const mail of alice.inbox({ signal: AbortSignal.timeout(60_000) })) {
    expect(mail.message.content).toBe('0');
    await mail.ack();
    break;
  }
  await eventually('the next one arrives', () => texts(alice).includes('INFO 20'));
  expect(texts(alice)).toEqual(Array.from({ length: 20 }, (_, n) => `INFO ${n + 1}`));
  await host.close();
});

const FAILING = new Set([3, 4, 20, 41]);

/** Some links into alice's mailbox fail as on a disk that is briefly full. */
function failingNowAndThen(linked: string[], failing: ReadonlySet<number> = FAILING): Host {
  const { files } = nodeHost;
  let tries = 0;
  return {
    ...nodeHost,
    files: {
      ...files,
      link: (existing, created) => {
        if (!created.includes('/actors/alice/mailbox/new/')) return files.link(existing, created);
        tries += 1;
        if (failing.has(tries)) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
        files.link(existing, created);
        linked.push(path.basename(created));
      },
    },
  };
}

test('a message to several recipients is logged once, however many parts it is delivered in', async () => {
  // It is held up only where another one is before it, so it went to the others first, and each part was logged as sent.
  await using room = await WorkflowRoom.make({ durability: 'power' });
  const opened = await room.open();
  for (const address of ['alice', 'bob', 'carol', 'sender']) await opened.join(address);
  const context = contextOf(opened);
  const ids = createIdSource(nodeHost.randomBytes);
  const entries = [['alice'], ['all'], ['bob'], ['alice', 'carol'], ['all']].map((to) => {
    const content = to.join(' ');
    const mail = {
      id: ids.next(Date.now()),
      effectId: content,
      to,
      draft: { type: 'INFO', content },
      isControl: false,
    };
    return sealEntry(context, { mail, from: 'sender' });
  });
  const outbox = new Outbox({
    context,
    address: 'sender',
    durability: 'power',
    childReady: async () => {},
    onDelivered: () => {},
    onRefused: () => {},
  });
  for (const entry of entries) outbox.add(entry, { isRepeat: false });
  await eventually('all are there', () => outbox.size === 0);
  await outbox.close();
  const log = fs.readFileSync(roomLayout(room.directory).log, 'utf8').trim().split('\n');
  const records = log.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  const sent = records.filter(({ event }) => event === 'sent').map(({ id, to, outcome }) => ({ id, to, outcome }));
  expect(sent).toHaveLength(entries.length);
  const expected = entries.map(({ id, to }) => ({ id, to, outcome: 'delivered' }));
  expect(sent).toEqual(expect.arrayContaining(expected));
});
