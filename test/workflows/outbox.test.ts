import path from 'node:path';
import { expect, test } from 'vitest';
import { ProgressKeeper } from '../../src/durable/progress.ts';
import type { Mailbox } from '../../src/mailbox/mailbox.ts';
import { nodeHost, type Host } from '../../src/index.ts';
import { counter } from './machines.ts';
import { texts, WorkflowRoom } from './workflow-room.ts';

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

const FAILING = new Set([3, 4, 20, 41]);

/** Some links into alice's mailbox fail as on a disk that is full for a moment. */
function failingNowAndThen(linked: string[]): Host {
  const { files } = nodeHost;
  let tries = 0;
  return {
    ...nodeHost,
    files: {
      ...files,
      link: (existing, created) => {
        if (!created.includes('/actors/alice/mailbox/new/')) return files.link(existing, created);
        tries += 1;
        if (FAILING.has(tries)) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
        files.link(existing, created);
        linked.push(path.basename(created));
      },
    },
  };
}
