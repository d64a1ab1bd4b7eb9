import { assign, setup } from 'xstate';
import { expect, test } from 'vitest';
import { explore } from '../../src/testing/explore.ts';
import { eventually, WorkflowRoom } from './workflow-room.ts';

/** Ends with what its child ended with, or with the error that it hears of instead. */
function parentOf(output: unknown, error?: Error) {
  const child = setup({}).createMachine({
    id: 'child',
    context: () => {
      if (error) throw error;
      return {};
    },
    initial: 'a',
    states: { a: { after: { 1: 'b' } }, b: { type: 'final' } },
    output: () => output,
  });
  return setup({
    types: { context: {} as { heard: unknown } },
    actors: { child },
  }).createMachine({
    id: 'parent',
    context: { heard: null },
    initial: 'waiting',
    states: {
      waiting: {
        invoke: {
          id: 'child',
          src: 'child',
          onDone: { target: 'done', actions: assign({ heard: ({ event }) => event.output }) },
          onError: { target: 'failed', actions: assign({ heard: ({ event }) => event.error }) },
        },
      },
      done: { type: 'final' },
      failed: { type: 'final' },
    },
    output: ({ context }) => context.heard,
  });
}

const nested = Array.from({ length: 70 }).reduce<unknown>((inner) => [inner], 1);

// The END of the child was refused by the outbox, for good and to nobody's ears, so its parent waited for ever.
test.each([
  ['too large', 'x'.repeat(300_000), /the message has 300\d{3} bytes, the limit is 262144/],
  ['nested too deep', nested, /nested more than 64 deep/],
  ['no well-formed text', '\ud800', /half of a surrogate pair/],
])('a parent hears of the end of a child whose output is %s', async (_what, output, why) => {
  await using room = await WorkflowRoom.make();
  const { host, workflow } = await room.run(parentOf(output));
  const heard = { name: 'EndingNotSent', code: 'MESSAGE_REFUSED', message: expect.stringMatching(why) as string };
  expect(await workflow.result).toEqual({ status: 'done', output: heard });
  await eventually('the child is done with', () => room.state('parent.child-1')?.undelivered.size === 0);
  await host.close();
  // The child itself has ended as it wanted to.
  expect(room.state('parent.child-1')?.state).toMatchObject({ status: 'done', output });
  expect(room.snapshot('parent').value).toBe('failed');
});

test('a parent hears of the end of a child whose error does not fit', async () => {
  await using room = await WorkflowRoom.make();
  const { host, workflow } = await room.run(parentOf(null, new Error('x'.repeat(300_000))));
  const message = expect.stringMatching(/^The child has ended \(error\), but its error cannot be sent/) as string;
  expect(await workflow.result).toMatchObject({ output: { name: 'EndingNotSent', message } });
  await host.close();
});

test('what just fits is carried as it is', async () => {
  await using room = await WorkflowRoom.make();
  const output = 'x'.repeat(250_000);
  const { host, workflow } = await room.run(parentOf(output));
  expect(await workflow.result).toEqual({ status: 'done', output });
  await host.close();
});

test('an exploration goes the same way', () => {
  for (const output of ['x'.repeat(300_000), nested]) {
    const { ends } = explore({ workflows: { parent: { machine: parentOf(output) } } });
    expect(ends.map(({ summary }) => summary)).toEqual(['parent: failed (done)']);
  }
});
