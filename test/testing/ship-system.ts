import { assign, sendParent, setup } from 'xstate';
import { z } from 'zod';
import type { CommandResult } from '../../src/jobs/job.ts';
import { accepts, activity, ask, command, reply, tell } from '../../src/workflow.ts';
import type { SystemUnderTest } from '../../src/testing.ts';

const verdict = z.object({ approved: z.boolean() });

const packing = setup({
  types: { input: {} as { change: string }, context: {} as { change: string } },
  actors: { pack: activity(async ({ change }: { change: string }) => `${change}.tgz`) },
}).createMachine({
  id: 'packing',
  context: ({ input }) => input,
  initial: 'packing',
  states: {
    packing: {
      entry: sendParent({ type: 'progress', done: 0 }),
      invoke: {
        src: 'pack',
        input: ({ context }) => context,
        onDone: { target: 'packed' },
        onError: { target: 'failed' },
      },
    },
    packed: { type: 'final' },
    failed: { type: 'final' },
  },
  output: ({ self }) => ({ packed: self.getSnapshot().status !== undefined }),
});

const shipMail = accepts({ GO: z.object({ change: z.string() }), CANCEL: z.undefined() });

/** Waits for GO, runs the tests, asks the reviewer for at most an hour, has a child pack, and tells bob. */
export const ship = setup({
  schemas: shipMail,
  types: {
    context: {} as { change: string; packedBy: number },
    events: {} as typeof shipMail.events | { type: 'progress'; done: number },
  },
  actors: {
    runTests: command((_input: { change: string }) => ({ file: 'npm', args: ['test'] })),
    review: ask('reviewer', {
      question: ({ change }: { change: string }) => ({ type: 'REVIEW', content: `Please review ${change}` }),
      answer: verdict,
    }),
    packing,
  },
  delays: { patience: 3_600_000 },
  guards: {
    isGreen: (_, { exitCode }: { exitCode: number | null }) => exitCode === 0,
  },
}).createMachine({
  id: 'ship',
  context: { change: '', packedBy: 0 },
  initial: 'idle',
  on: { CANCEL: '.cancelled' },
  states: {
    idle: { on: { GO: { target: 'testing', actions: assign({ change: ({ event }) => event.data.change }) } } },
    testing: {
      invoke: {
        src: 'runTests',
        input: ({ context }) => context,
        onDone: [
          {
            guard: { type: 'isGreen', params: ({ event }) => ({ exitCode: event.output.exitCode }) },
            target: 'reviewing',
          },
          { target: 'red' },
        ],
        onError: 'red',
      },
    },
    reviewing: {
      invoke: {
        src: 'review',
        input: ({ context }) => context,
        onDone: [{ guard: ({ event }) => event.output.data.approved, target: 'packing' }, { target: 'refused' }],
        onError: 'refused',
      },
      after: { patience: 'overdue' },
    },
    packing: {
      on: { progress: { actions: assign({ packedBy: ({ event }) => event.done }) } },
      invoke: {
        src: 'packing',
        id: 'packing',
        input: ({ context }) => ({ change: context.change }),
        onDone: 'shipped',
      },
    },
    shipped: {
      type: 'final',
      entry: tell('bob', ({ context }) => ({ type: 'COMPLETED', content: `${context.change} is shipped` })),
    },
    red: { type: 'final' },
    refused: { type: 'final' },
    overdue: { type: 'final' },
    cancelled: { type: 'final' },
  },
});

const reviewMail = accepts({ REVIEW: z.unknown() });

/** Answers each review once its reading has ended; what comes meanwhile is refused at once. */
export const reviewer = setup({
  schemas: reviewMail,
  types: { context: {} as { from: string; id: string }, events: reviewMail.events },
  actors: { read: activity(async (_input: { of: string }): Promise<{ approved: boolean }> => ({ approved: true })) },
}).createMachine({
  id: 'reviewer',
  context: { from: '', id: '' },
  initial: 'free',
  states: {
    free: {
      on: {
        REVIEW: {
          target: 'reading',
          actions: assign({ from: ({ event }) => event.from, id: ({ event }) => event.messageId }),
        },
      },
    },
    reading: {
      on: { REVIEW: { actions: reply({ type: 'INFO', content: 'busy', data: { approved: false } }) } },
      invoke: {
        src: 'read',
        input: ({ context }) => ({ of: context.id }),
        onDone: {
          target: 'free',
          actions: tell(
            ({ context }) => context.from,
            ({ context, event }) => ({
              type: 'INFO',
              content: 'read',
              data: { approved: event.output.approved },
              replyTo: context.id,
            }),
          ),
        },
        onError: 'free',
      },
    },
  },
});

export const exited = (exitCode: number): CommandResult => ({
  exitCode,
  signal: null,
  timedOut: false,
  stdout: '',
  stderr: '',
  stdoutTruncated: false,
  stderrTruncated: false,
  durationMs: 0,
});

/** Three machines, and bob who sends GO and perhaps CANCEL. */
export const shipSystem = {
  workflows: { ship: { machine: ship }, reviewer: { machine: reviewer } },
  agents: {
    bob: {
      sends: [
        { to: 'ship', type: 'GO', data: { change: 'c1' }, always: true },
        { to: 'ship', type: 'CANCEL' },
      ],
    },
  },
  outcomes: ({ src }) => {
    if (src === 'runTests') return [{ output: exited(0) }, { output: exited(1) }, { error: new Error('no npm') }];
    if (src === 'pack') return [{ output: 'c1.tgz' }, { error: new Error('disk full') }];
    return [{ output: { approved: true } }, { output: { approved: false } }, { error: new Error('unreadable') }];
  },
} satisfies SystemUnderTest;
