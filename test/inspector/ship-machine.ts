import { assign, sendParent, setup } from 'xstate';
import { z } from 'zod';
import { accepts, activity, ask, command } from '../../src/workflow.ts';

/** A text that is in contexts, inputs, outputs and results, and nowhere else. */
export const SECRET = 'hush-4f1c';

const mail = accepts({ GO: z.object({ n: z.number() }) });

const worker = setup({ types: { context: {} as { key: string }, input: {} as { key: string } } }).createMachine({
  id: 'worker',
  context: ({ input }) => ({ key: input.key }),
  initial: 'busy',
  output: ({ context }) => ({ key: context.key }),
  states: {
    busy: { entry: sendParent({ type: 'PROGRESS' }), after: { 20: 'fin' } },
    fin: { type: 'final' },
  },
});

interface Context {
  readonly token: string;
  readonly nested: { readonly context: readonly string[] };
  readonly results: readonly unknown[];
}

/** Waits for GO, does work, asks bob, has a child, and ends: something of everything that the inspector shows. */
export const machine = setup({
  schemas: mail,
  types: { context: {} as Context, events: {} as typeof mail.events | { readonly type: 'PROGRESS' } },
  actors: {
    worker,
    count: activity(async ({ n }: { n: number }) => ({ counted: n, key: SECRET })),
    print: command(({ key }: { key: string }) => ({ file: 'printf', args: [key] })),
    question: ask('bob'),
  },
}).createMachine({
  id: 'ship',
  context: { token: SECRET, nested: { context: [SECRET] }, results: [] },
  initial: 'idle',
  output: ({ context }) => context,
  states: {
    idle: { on: { GO: 'context' } },
    // A state of that name is not the context.
    context: {
      initial: 'counting',
      states: {
        counting: {
          invoke: {
            id: 'counter',
            src: 'count',
            input: { n: 3 },
            onDone: {
              target: 'printing',
              actions: assign({ results: ({ context, event }) => [...context.results, event.output] }),
            },
          },
        },
        printing: {
          invoke: {
            id: 'printer',
            src: 'print',
            input: ({ context }) => ({ key: context.token }),
            onDone: '#ship.asking',
          },
        },
      },
    },
    asking: {
      invoke: { id: 'asked', src: 'question', input: { type: 'QUESTION', content: 'fine?' }, onDone: 'building' },
    },
    building: {
      invoke: {
        id: 'builder',
        src: 'worker',
        input: ({ context }) => ({ key: context.token }),
        onDone: {
          target: 'done',
          actions: assign({ results: ({ context, event }) => [...context.results, event.output] }),
        },
      },
      on: { PROGRESS: {} },
    },
    done: { type: 'final' },
  },
});
