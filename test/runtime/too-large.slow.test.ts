import { assign, setup } from 'xstate';
import { z } from 'zod';
import { expect, test } from 'vitest';
import { JournalFold } from '../../src/journal/fold.ts';
import { segmentSize } from '../../src/journal/journal.ts';
import { accepts, activity, tell } from '../../src/workflow.ts';
import { eventually, texts, WorkflowRoom } from './workflow-room.ts';

const MIB = 1024 * 1024;

// A journal record has at most 16 MiB. A larger one was retried for ever, and the workflow did nothing else.

test('a result that is too large for a record becomes the error of its activity', async () => {
  const machine = setup({
    types: { context: {} as { error: unknown } },
    actors: { big: activity(async () => 'x'.repeat(17 * MIB)) },
  }).createMachine({
    id: 'm',
    context: { error: null },
    initial: 'working',
    states: {
      working: {
        invoke: {
          src: 'big',
          onDone: 'done',
          onError: { target: 'failed', actions: assign({ error: ({ event }) => event.error }) },
        },
      },
      done: { type: 'final' },
      failed: { type: 'final' },
    },
    output: ({ context }) => context.error,
  });
  await using room = await WorkflowRoom.make({ inMemory: true });
  const { host, workflow } = await room.run(machine);
  const message = expect.stringMatching(/^"big" returned 178\d{5} bytes, .* the limit is 2097152/) as string;
  expect(await workflow.result).toEqual({ status: 'done', output: { name: 'ResultTooLarge', message } });
  await host.close();
});

const mail = accepts({
  GROW: z.object({ mib: z.number() }),
  TELL: z.object({ times: z.number() }),
  FINISH: z.unknown(),
});

/** Its context grows, or it sends bob 250 KB that many times, at any message. */
const grower = setup({
  schemas: mail,
  types: { context: {} as { text: string }, events: mail.events },
}).createMachine({
  id: 'grower',
  context: { text: '' },
  on: {
    GROW: { actions: assign({ text: ({ event }) => 'x'.repeat(event.data.mib * MIB) }) },
    TELL: [1, 40].map((times) => ({
      guard: ({ event }) => event.data.times === times,
      actions: Array.from({ length: times }, (_, n) => tell('bob', { type: 'INFO', content: n + 'x'.repeat(250_000) })),
    })),
  },
  initial: 'going',
  states: { going: { on: { FINISH: 'finished' } }, finished: { type: 'final' } },
  output: ({ context }) => context.text.length,
});

test('a step whose record is too large fails with its size, and keeps the last good state', async () => {
  await using room = await WorkflowRoom.make({ inMemory: true });
  const opened = await room.open();
  const [alice, bob] = [await opened.join('alice'), await opened.join('bob')];
  const { host, workflow } = await room.run(grower);
  const send = (type: string, data?: unknown) => alice.send({ to: 'grower', type, content: '', data });
  await send('GROW', { mib: 5 });
  const refused = [await send('GROW', { mib: 13 }), await send('TELL', { times: 40 })];
  await send('FINISH');
  expect(await workflow.result).toEqual({ status: 'done', output: 5 * MIB });
  await host.close();
  for (const { id } of refused) expect(room.status(id)[0]).toMatchObject({ state: 'dead', reason: 'step-failed' });
  const details = room.story('grower').flatMap(({ verdict, detail }) => (verdict === 'failed' ? [detail] : []));
  expect(details).toEqual(
    refused.map(() => expect.stringMatching(/the record has \d{8} bytes, the limit is 12582912; keep/) as string),
  );
  expect(texts(bob)).toEqual([]);
});

// A sender that ignores the room's limit can send up to the ceiling of the format.
test('a message too large for a record with the state becomes a dead letter, and delays no other mail', async () => {
  await using room = await WorkflowRoom.make({ inMemory: true, limits: { messageBytesMax: 4 * MIB } });
  const alice = await (await room.open()).join('alice');
  const { host, workflow } = await room.run(grower);
  const send = (type: string, content: string, data?: unknown) => alice.send({ to: 'grower', type, content, data });
  await send('GROW', '', { mib: 11 });
  const { id } = await send('FINISH', 'x'.repeat(3 * MIB));
  await send('FINISH', '');
  expect(await workflow.result).toEqual({ status: 'done', output: 11 * MIB });
  expect(room.status(id)[0]).toMatchObject({ state: 'dead', reason: 'step-failed' });
  await host.close();
});

test('a start whose record is too large ends the workflow with that error', async () => {
  const machine = setup({}).createMachine({ id: 'm', context: { text: 'x'.repeat(13 * MIB) } });
  await using room = await WorkflowRoom.make({ inMemory: true });
  const { host, workflow } = await room.run(machine);
  expect(await workflow.result).toMatchObject({ status: 'error', error: { name: 'StepTooLarge' } });
  await host.close();
});

test('a backlog too large for a record keeps the segment from ending, and the workflow can be opened again', async () => {
  // The segment ended even so, and no host could ever write the record that opens the next one.
  await using room = await WorkflowRoom.make({
    inMemory: true,
    actors: { bob: { newMessagesMax: 1 } },
  });
  const opened = await room.open();
  const [alice] = [await opened.join('alice'), await opened.join('bob')];
  let told = 0;
  for (const count of [70, 1]) {
    const { host } = await room.run(grower);
    for (let n = 0; n < count; n++) {
      const { id } = await alice.send({ to: 'grower', type: 'TELL', content: '', data: { times: 1 } });
      await eventually('the step is taken', () => room.status(id)[0]?.state === 'acknowledged');
    }
    await host.close();
    told += count;
    expect(room.state('grower')?.undelivered.size).toBe(told - 1);
  }
});

test('a segment ends as soon as its backlog fits into a record again', () => {
  const carried = { bytes: 20 * MIB };
  const fold = new JournalFold('/journal');
  fold.carry = () => 'x'.repeat(carried.bytes) as never;
  const sizeAt = segmentSize(fold);
  const endsAt = (grownTo: number): boolean => grownTo >= sizeAt(grownTo);
  expect(endsAt(0)).toBe(false);
  expect(endsAt(MIB)).toBe(false);
  carried.bytes = MIB;
  // The size is not measured at every record.
  expect(endsAt(2 * MIB)).toBe(false);
  expect(endsAt(7 * MIB)).toBe(true);
  expect([endsAt(0), endsAt(100_000), endsAt(200_000)]).toEqual([false, false, true]);
});
