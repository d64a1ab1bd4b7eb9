import { assign, setup, type AnyStateMachine } from 'xstate';
import { expect, test } from 'vitest';
import { Conflict, InvalidInput } from '../../src/errors.ts';
import { replayWorkflow, type Divergence } from '../../src/history/replay.ts';
import { ask, tell } from '../../src/workflow.ts';
import { eventually, WorkflowRoom } from '../runtime/workflow-room.ts';

/** What a replay with another machine, or the same, finds in the run of a machine. */
async function differences(ran: AnyStateMachine, { bob = true, replayed = ran } = {}): Promise<readonly Divergence[]> {
  await using room = await WorkflowRoom.make({ inMemory: true });
  const opened = await room.open();
  if (bob) await opened.join('bob');
  const { host, workflow } = await room.run(ran);
  await Promise.race([
    workflow.result.catch(() => {}),
    eventually('it asks', () => room.state('m')?.state?.calls['asked']),
  ]);
  await host.close();
  return replayWorkflow(opened, 'm', replayed)?.divergences ?? [];
}

const child = setup({}).createMachine({ id: 'child', initial: 'a', states: { a: {} } });
const actors = { child, question: ask('bob') };

/** Starts a call and gives it up in the same step, sends a message, and then asks. */
const transient = (src: 'child' | 'question', text = 'hello') =>
  setup({ actors }).createMachine({
    id: 'm',
    initial: 'a',
    states: {
      a: { invoke: { id: 'gone', src, input: { type: 'QUESTION', content: '?' } }, always: 'b' },
      b: {
        entry: tell('bob', { type: 'INFO', content: text }),
        invoke: { id: 'asked', src: 'question', input: { type: 'QUESTION', content: 'really?' } },
      },
    },
  });

/** Sends a message, and ends if it is undeliverable. */
const telling = (to: string, ...texts: string[]) =>
  setup({}).createMachine({
    id: 'm',
    initial: 'a',
    states: {
      a: {
        entry: texts.map((content) => tell(to, { type: 'INFO', content })),
        on: { 'mailroom.delivery-failed': 'b' },
        after: { 50: 'b' },
      },
      b: { type: 'final' },
    },
  });

const ending = (length: number) => {
  const kid = setup({}).createMachine({
    id: 'kid',
    initial: 'a',
    states: { a: { type: 'final' } },
    output: () => 'x'.repeat(length),
  });
  return setup({ actors: { kid } }).createMachine({
    id: 'm',
    initial: 'a',
    states: { a: { invoke: { id: 'kid', src: 'kid', onDone: 'b', onError: 'b' } }, b: { type: 'final' } },
  });
};

const growing = (mib: number) =>
  setup({ types: { context: {} as { text: string } } }).createMachine({
    id: 'm',
    context: { text: '' },
    initial: 'a',
    states: {
      a: {
        after: {
          1: { target: 'b', actions: assign({ text: () => 'x'.repeat(mib * 1024 * 1024) }) },
          10: 'b',
        },
      },
      b: { type: 'final' },
    },
  });

// A replay gave ids in the order of the remaining messages, although messages dropped within the step had ids, too.
test.each([
  ['started a child and ended it', transient('child')],
  ['asked and took it back', transient('question')],
  ['could not make a message', telling('bob', 'x'.repeat(300_000))],
  ['does not fit into a record', growing(13)],
])('the same machine does the same where a step %s', async (_what, machine) => {
  expect(await differences(machine)).toEqual([]);
});

test('the same machine replays without differences, also with a broadcast to nobody and an output that was not sent', async () => {
  expect(await differences(telling('all', 'hello'), { bob: false })).toEqual([]);
  await using room = await WorkflowRoom.make();
  const { host, workflow, room: opened } = await room.run(ending(300_000));
  await workflow.result;
  await host.close();
  for (const address of ['m', 'm.kid-1']) {
    const machine = address === 'm' ? ending(300_000) : ending(300_000).implementations.actors['kid'];
    const replayed = replayWorkflow(opened, address, machine as AnyStateMachine);
    expect(replayed?.divergences ?? address).toEqual([]);
  }
});

test('finds messages that a changed machine would send differently, in addition, or not at all', async () => {
  const otherText = await differences(transient('child'), { replayed: transient('child', 'bye') });
  expect(otherText).toEqual([{ seq: 2, step: 2, where: 'mail.0.content', recorded: 'hello', replayed: 'bye' }]);
  // The effect ids behind it differ as well.
  const mailOf = (found: readonly Divergence[]) => found.filter(({ where }) => where.startsWith('mail'));
  const more = mailOf(await differences(telling('bob', 'one'), { replayed: telling('bob', 'one', 'two') }));
  const two = { to: ['bob'], type: 'INFO', content: 'two' };
  expect(more).toEqual([{ seq: 2, step: 2, where: 'mail.1', recorded: undefined, replayed: two }]);
  const less = mailOf(await differences(telling('bob', 'one', 'two'), { replayed: telling('bob', 'one') }));
  expect(less.map(({ where, replayed }) => [where, replayed])).toEqual([['mail.1', undefined]]);
  const large = 'x'.repeat(300_000);
  const unsent = await differences(telling('bob', large), { replayed: telling('eve', large) });
  expect(unsent.map(({ where, replayed }) => [where, replayed])).toEqual([['mail.0.to.0', 'eve']]);
  const fits = await differences(growing(13), { replayed: growing(1) });
  expect(fits.map(({ where }) => where)).toContain('verdict');
});

test('compares failures by their text, but those of Mailroom itself by their code, since their texts change between releases', async () => {
  const throwing = (error: Error) =>
    setup({}).createMachine({
      id: 'm',
      initial: 'a',
      states: {
        a: { after: { 1: 'b' } },
        b: {
          entry: assign(() => {
            throw error;
          }),
        },
      },
    });
  const own = throwing(new InvalidInput('the text of a release'));
  expect(await differences(own, { replayed: throwing(new InvalidInput('the text of the next one')) })).toEqual([]);
  expect(await differences(own, { replayed: throwing(new Conflict('the text of a release')) })).not.toEqual([]);
  const users = throwing(new Error('one'));
  expect(await differences(users)).toEqual([]);
  expect(await differences(users, { replayed: throwing(new Error('another')) })).not.toEqual([]);
});
