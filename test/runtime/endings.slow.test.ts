import fs from 'node:fs';
import { assign, setup } from 'xstate';
import { expect, test } from 'vitest';
import { explore } from '../../src/testing/explore/explore.ts';
import { activity, command, tell } from '../../src/workflow.ts';
import { processesAbout } from './orphans.ts';
import { eventually, texts, WorkflowRoom } from './workflow-room.ts';

/** Ends with the output of its child, or with the error that it gets instead. */
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

// The outbox refused the child's END for good and told nobody, so the parent waited for ever.
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
  // The child itself has ended normally.
  expect(room.state('parent.child-1')?.state).toMatchObject({ status: 'done', output });
  expect(room.snapshot('parent').value).toBe('failed');
});

test('a parent gets the end of a child whose error does not fit', async () => {
  await using room = await WorkflowRoom.make();
  const { host, workflow } = await room.run(parentOf(null, new Error('x'.repeat(300_000))));
  const message = expect.stringMatching(/^The child has ended \(error\), but its error cannot be sent/) as string;
  expect(await workflow.result).toMatchObject({ output: { name: 'EndingNotSent', message } });
  await host.close();
});

test('an output that just fits is sent unchanged', async () => {
  await using room = await WorkflowRoom.make();
  const output = 'x'.repeat(250_000);
  const { host, workflow } = await room.run(parentOf(output));
  expect(await workflow.result).toEqual({ status: 'done', output });
  await host.close();
});

test('an exploration behaves the same', () => {
  for (const output of ['x'.repeat(300_000), nested]) {
    const { ends } = explore({ workflows: { parent: { machine: parentOf(output) } } });
    expect(ends.map(({ summary }) => summary)).toEqual(['parent: failed (done)']);
  }
});

test('its children get its end before its result resolves, and their work is ended', async () => {
  await using room = await WorkflowRoom.make({ durability: 'power' });
  const began = `${room.directory}/began`;
  const script = 'touch "$0"; while [ -e "$0" ]; do sleep 0.05; done';
  const kid = setup({ actors: { work: command(() => ({ file: 'sh', args: ['-c', script, began] })) } }).createMachine({
    id: 'kid',
    invoke: { src: 'work' },
  });
  const low = setup({ actors: { kid } }).createMachine({ id: 'low', invoke: { src: 'kid', id: 'kid' } });
  const mid = setup({ actors: { low } }).createMachine({ id: 'mid', invoke: { src: 'low', id: 'low' } });
  const seen = activity(() => eventually('the command runs', () => fs.existsSync(began)));
  const top = setup({ actors: { mid, seen } }).createMachine({
    id: 'top',
    initial: 'a',
    states: {
      a: {
        invoke: [
          { src: 'mid', id: 'mid' },
          { src: 'seen', onDone: 'b' },
        ],
      },
      b: { type: 'final' },
    },
  });
  const { host, workflow } = await room.run(top);
  expect(await workflow.result).toEqual({ status: 'done' });
  await host.close();
  const statusOf = (address: string): unknown => room.state(address)?.state?.status;
  const below = ['top.mid-1', 'top.mid-1.low-1', 'top.mid-1.low-1.kid-1'];
  expect(below.map(statusOf)).toEqual(['stopped', 'stopped', 'stopped']);
  expect(processesAbout(began)).toEqual([]);
});

test("rate-limited mail of a child is delivered before the parent's result resolves", async () => {
  const news = [1, 2, 3].map((n) => tell('bob', { type: 'INFO', content: `${n}` }));
  const child = setup({}).createMachine({ id: 'child', initial: 'a', states: { a: { entry: news, type: 'final' } } });
  const parent = setup({ actors: { child } }).createMachine({
    id: 'parent',
    initial: 'a',
    states: { a: { invoke: { src: 'child', id: 'child', onDone: 'b' } }, b: { type: 'final' } },
  });
  await using room = await WorkflowRoom.make({ limits: { rateLimit: 1, rateWindowMs: 1_000 } });
  const bob = await (await room.open()).join('bob');
  const { host, workflow } = await room.run(parent);
  expect(await workflow.result).toEqual({ status: 'done' });
  await host.close();
  expect(texts(bob)).toEqual(['INFO 1', 'INFO 2', 'INFO 3']);
});
