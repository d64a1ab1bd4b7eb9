import { assign, setup } from 'xstate';
import { z } from 'zod';
import { accepts, ask, command, reply, tell } from '../../src/workflow.ts';

const mail = accepts({ NOTE: z.object({ n: z.number() }), FINISH: z.unknown(), THROW: z.unknown() });

/** Counts notes, answers each, and throws or ends on request. */
export const counter = setup({
  schemas: mail,
  types: {
    events: mail.events,
    context: {} as { sum: number; from: string[]; failed: string[] },
    output: {} as { sum: number; from: string[] },
  },
}).createMachine({
  id: 'counter',
  context: { sum: 0, from: [], failed: [] },
  initial: 'counting',
  output: ({ context }) => ({ sum: context.sum, from: context.from }),
  on: {
    'mailroom.delivery-failed': {
      actions: assign({ failed: ({ context, event }) => [...context.failed, `${event.to} ${event.code}`] }),
    },
  },
  states: {
    counting: {
      on: {
        NOTE: {
          actions: [
            assign({
              sum: ({ context, event }) => context.sum + event.data.n,
              from: ({ context, event }) =>
                context.from.includes(event.from) ? context.from : [...context.from, event.from],
            }),
            reply(({ context }) => ({ type: 'INFO', content: `sum ${context.sum}` })),
          ],
        },
        THROW: {
          actions: assign({
            sum: () => {
              throw new Error('this step always throws');
            },
          }),
        },
        FINISH: 'finished',
      },
    },
    finished: { type: 'final' },
  },
});

/** Asks alice, with a timeout, and ends with her answer. */
export const asker = setup({
  types: { context: {} as { answer: string }, output: {} as string },
  actors: {
    question: ask((to: string) => to, {
      question: () => ({ type: 'QUESTION', content: 'Is it so?' }),
      answer: z.object({ sure: z.boolean() }).optional(),
    }),
  },
}).createMachine({
  id: 'asker',
  context: { answer: '' },
  initial: 'asking',
  output: ({ context }) => context.answer,
  states: {
    asking: {
      invoke: {
        src: 'question',
        id: 'q',
        input: ({ event }) => (event as { input?: { to?: string } }).input?.to ?? 'alice',
        onDone: {
          target: 'told',
          actions: assign({ answer: ({ event }) => `${event.output.from}: ${event.output.content}` }),
        },
        onError: {
          target: 'told',
          actions: assign({ answer: ({ event }) => `failed: ${(event.error as { code: string }).code}` }),
        },
      },
    },
    told: { type: 'final' },
  },
});

/** A command that runs until it is no longer awaited. */
export const sleeper = setup({
  schemas: accepts({ ENOUGH: z.unknown() }),
  actors: {
    sleep: command((input: { file: string }) => ({
      file: 'sh',
      args: ['-c', 'sleep 300 & echo $! > "$0"; wait', input.file],
    })),
  },
  types: { input: {} as { file: string }, context: {} as { file: string } },
}).createMachine({
  id: 'sleeper',
  context: ({ input }) => ({ file: input.file }),
  initial: 'sleeping',
  states: {
    sleeping: { invoke: { src: 'sleep', input: ({ context }) => ({ file: context.file }) }, on: { ENOUGH: 'awake' } },
    awake: { type: 'final', entry: tell('alice', { type: 'INFO', content: 'awake' }) },
  },
});

/** Ends by itself after 100 ms, whatever mail it gets. */
export const deadline = setup({
  schemas: accepts({ NOTE: z.unknown() }),
  types: { context: {} as { taken: number }, output: {} as number },
}).createMachine({
  id: 'deadline',
  context: { taken: 0 },
  initial: 'open',
  output: ({ context }) => context.taken,
  states: {
    open: {
      after: { 100: 'closed' },
      on: { NOTE: { actions: assign({ taken: ({ context }) => context.taken + 1 }) } },
    },
    closed: { type: 'final' },
  },
});
