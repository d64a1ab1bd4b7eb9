import { assign, setup, type ActorRefFrom, type InputFrom } from 'xstate';
import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import {
  accepts,
  action,
  activity,
  ask,
  broadcast,
  command,
  reply,
  tell,
  type Answer,
  type CommandResult,
  type DeliveryFailed,
  type Received,
} from '../../src/workflow.ts';
import {
  runWorkflow,
  type listWorkflows,
  type ReplayReport,
  type replayWorkflow,
  type WorkflowInfo,
} from '../../src/runtime.ts';
import { explore } from '../../src/testing.ts';
import type { Room } from '../../src/index.ts';

declare const room: Room;

const mail = accepts({
  VOTE: z.object({ option: z.enum(['a', 'b']), weight: z.number().optional() }),
  CLOSE: z.undefined(),
});

test('accepts gives each message type the type of its data, and the failed delivery', () => {
  expectTypeOf<typeof mail.events>().toEqualTypeOf<
    Received<'VOTE', { option: 'a' | 'b'; weight?: number | undefined }> | Received<'CLOSE', undefined> | DeliveryFailed
  >();
  // @ts-expect-error: a schema, not a value.
  accepts({ VOTE: { option: 'a' } });
  // @ts-expect-error: no such option.
  accepts({ VOTE: z.unknown() }, { broadcast: true });
});

test('a machine reads verified mail without a cast', () => {
  setup({ schemas: mail, types: { context: {} as { votes: string[] }, events: mail.events } }).createMachine({
    context: { votes: [] },
    on: {
      VOTE: {
        guard: ({ event }) => (event.data.weight ?? 1) > 0,
        actions: assign({
          votes: ({ context, event }) => {
            expectTypeOf(event.from).toEqualTypeOf<string>();
            expectTypeOf(event.data.option).toEqualTypeOf<'a' | 'b'>();
            // @ts-expect-error: the data is not spread over the event.
            void event.option;
            return [...context.votes, event.data.option];
          },
        }),
      },
      'mailroom.delivery-failed': { actions: assign({ votes: ({ event }) => [event.code, event.to] }) },
    },
  });
});

test('ask has the answer of its schema as output, and knows its input', () => {
  const machine = setup({
    types: { context: {} as { change: string; verdict: Answer<{ ok: boolean }> | null } },
    actors: {
      review: ask('reviewer', {
        question: (change: string) => ({ type: 'REVIEW-REQUEST', content: change }),
        answer: z.object({ ok: z.boolean() }),
      }),
      plain: ask((input: { to: string; type: string; content: string }) => input.to),
    },
  }).createMachine({
    context: { change: 'c', verdict: null },
    invoke: [
      {
        src: 'review',
        input: ({ context }) => context.change,
        onDone: {
          guard: ({ event }) => event.output.data.ok,
          actions: assign({ verdict: ({ event }) => event.output }),
        },
      },
      { src: 'plain', input: { to: 'bob', type: 'QUESTION', content: '?' } },
    ],
  });
  expectTypeOf(machine.id).toEqualTypeOf<string>();
  // @ts-expect-error: the question has no content.
  ask('reviewer', { question: (change: string) => ({ type: 'REVIEW-REQUEST', data: change }) });
  // @ts-expect-error: expects an address, or a function that returns one.
  ask(['reviewer']);
  setup({
    actors: { review: ask('reviewer', { question: (n: number) => ({ type: 'QUESTION', content: String(n) }) }) },
  }).createMachine({
    // @ts-expect-error: its input is a number.
    invoke: { src: 'review', input: 'one' },
  });
});

test('an activity and a command know their input and their result', () => {
  setup({
    types: { context: {} as { sum: number } },
    actors: {
      add: activity(async ({ a, b }: { a: number; b: number }, { effectId, signal }) => {
        expectTypeOf(effectId).toEqualTypeOf<string>();
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
        return a + b;
      }),
      build: command(({ target }: { target: string }) => ({ file: 'make', args: [target], timeoutMs: 1_000 })),
    },
  }).createMachine({
    context: { sum: 0 },
    invoke: [
      { src: 'add', input: { a: 1, b: 2 }, onDone: { actions: assign({ sum: ({ event }) => event.output }) } },
      {
        src: 'build',
        input: { target: 'all' },
        onDone: {
          actions: assign({
            sum: ({ event }) => {
              expectTypeOf(event.output).toEqualTypeOf<CommandResult>();
              return event.output.exitCode ?? -1;
            },
          }),
        },
      },
    ],
  });
  // @ts-expect-error: a command has a file and arguments.
  command(() => ({ file: 'make' }));
  // @ts-expect-error: no such crash option.
  activity(async () => 1, { onCrash: 'ignore' });
  setup({ actors: { add: activity(async ({ a }: { a: number }) => a) } }).createMachine({
    // @ts-expect-error: its input has a number.
    invoke: { src: 'add', input: { a: 'one' } },
  });
});

test('tell, broadcast, reply and action are actions of XState', () => {
  setup({
    schemas: mail,
    types: { context: {} as { n: number; to: string }, events: mail.events },
    actions: {
      note: action((params: { text: string }, { effectId }) => void [params.text, effectId]),
      shout: broadcast(({ context }) => ({ type: 'INFO', content: String(context.n) })),
      hint: tell('bob', (_, params: { text: string }) => ({ type: 'INFO', content: params.text })),
    },
  }).createMachine({
    context: { n: 0, to: 'bob' },
    entry: ['shout', { type: 'note', params: { text: 'a' } }, { type: 'hint', params: { text: 'b' } }],
    on: {
      VOTE: {
        actions: [
          tell(
            ({ context, event }) => [context.to, event.from],
            ({ event }) => ({ type: 'INFO', content: event.data.option, data: { of: event.messageId } }),
            { delay: 5, id: 'later' },
          ),
          reply(({ event }) => ({ type: 'ACK', content: event.data.option })),
          broadcast({ type: 'INFO', content: 'a vote' }),
        ],
      },
      // @ts-expect-error: its params have a text.
      CLOSE: {
        actions: { type: 'note', params: { text: 1 } },
      },
    },
  });
  expectTypeOf(mail.broadcasts).toEqualTypeOf<boolean>();
  // @ts-expect-error: a message has a content.
  tell('bob', { type: 'INFO' });
  // @ts-expect-error: the answered message is known.
  reply({ type: 'INFO', content: '', replyTo: 'x' });
  // @ts-expect-error: the sender cannot be chosen.
  tell('bob', { type: 'INFO', content: '', from: 'alice' });
});

const child = setup({
  types: { input: {} as { of: string }, output: {} as { done: number }, context: {} as { of: string } },
}).createMachine({ id: 'child', context: ({ input }) => input, output: { done: 1 } });

test('a child machine, and runWorkflow, know input and output', () => {
  setup({ types: { context: {} as { n: number } }, actors: { child } }).createMachine({
    context: { n: 0 },
    invoke: { src: 'child', input: { of: 'x' }, onDone: { actions: assign({ n: ({ event }) => event.output.done }) } },
  });
  setup({ actors: { child } }).createMachine({
    // @ts-expect-error: its input is missing.
    invoke: { src: 'child', input: { for: 'x' } },
  });
  expectTypeOf<ActorRefFrom<typeof child>>().not.toBeAny();
  void runWorkflow(room, child, { input: { of: 'x' } }).then((result) => {
    if (result.status === 'done') expectTypeOf(result.output).toEqualTypeOf<{ done: number }>();
    // @ts-expect-error: only a done workflow has an output.
    else void result.output;
  });
  // @ts-expect-error: another input.
  void runWorkflow(room, child, { input: { of: 1 } });
  expectTypeOf<InputFrom<typeof child>>().toEqualTypeOf<{ of: string }>();
});

test('explore knows the input of each machine, and the options of agents', () => {
  explore({
    workflows: { one: { machine: child, input: { of: 'x' } } },
    agents: {
      bob: {
        sends: [{ to: 'one', type: 'GO', data: { any: [1] }, times: 2, always: true }],
        answers: (message) => {
          expectTypeOf(message.from).toEqualTypeOf<string>();
          return [{ type: 'INFO' }, [{ type: 'INFO' }, { type: 'ACK', to: 'one' }], null];
        },
      },
    },
    outcomes: ({ src, input, command: spec }) => {
      expectTypeOf(input).toEqualTypeOf<unknown>();
      return src === 'x' ? [{ output: spec?.file }, null] : [{ error: new Error('no') }];
    },
    invariant: ({ workflows }) => (workflows['one']?.status === 'error' ? 'it failed' : undefined),
  });
  // @ts-expect-error: another input.
  explore({ workflows: { one: { machine: child, input: { of: 1 } } } });
  // @ts-expect-error: mail has a type.
  explore({ workflows: {}, agents: { bob: { sends: [{ to: 'one' }] } } });
  // @ts-expect-error: an activity ends with an output or an error.
  explore({ workflows: {}, outcomes: () => [{ result: 1 }] });
});

test('a program reads workflows through the room that it has opened', () => {
  expectTypeOf<typeof listWorkflows>().toBeCallableWith({} as Room, 'ship');
  expectTypeOf<typeof replayWorkflow>().toBeCallableWith({} as Room, 'ship', child);
  expectTypeOf<ReturnType<typeof listWorkflows>>().toEqualTypeOf<WorkflowInfo[]>();
  expectTypeOf<ReturnType<typeof replayWorkflow>>().toEqualTypeOf<ReplayReport | undefined>();
});
