import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { Outbox } from '../../src/durable/outbox.ts';
import { ProgressKeeper } from '../../src/durable/progress.ts';
import { sealEntry } from '../../src/durable/sealed-entry.ts';
import type { Mailbox } from '../../src/mailbox/mailbox.ts';
import { actorLayout, roomLayout } from '../../src/message/layout.ts';
import { createIdSource, nodeHost, type Host } from '../../src/index.ts';
import { counter } from './machines.ts';
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

test('what arrives while a record is being appended is written down with the next one', () => {
  // The record kept the list itself, so that it dropped ids which no record had: the workflow then waited for ever.
  const progress = new ProgressKeeper({ mailbox: {} as Mailbox, durability: 'process', performed: 0 });
  progress.delivered('first');
  const record = progress.next();
  progress.delivered('second');
  record.written();
  expect(record.progress.delivered).toEqual(['first']);
  expect(progress.next().progress.delivered).toEqual(['second']);
});

test('what a loss of power left of a burst lets nobody pass before its turn', async () => {
  await using room = await WorkflowRoom.make({ durability: 'power' });
  const linked: string[] = [];
  const opened = await room.open(failingNowAndThen(linked, new Set([3])));
  const alice = await opened.join('alice');
  await opened.join('sender');
  const { context } = opened;
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
  // The first one is linked at its second try only; what came behind it must wait for that.
  const after = outbox();
  for (const entry of [a, b]) after.add(entry, { isRepeat: true });
  after.add(c, { isRepeat: false });
  await eventually('all are there', () => after.size === 0);
  await after.close();
  expect(linked.map((name) => (name.includes(a.id) ? 'a' : 'c'))).toEqual(['a', 'c']);
  expect(texts(alice)).toEqual(['INFO a', 'INFO b', 'INFO c']);
});

const FAILING = new Set([3, 4, 20, 41]);

/** Some links into alice's mailbox fail as on a disk that is full for a moment. */
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
