import { assign, sendTo, setup } from 'xstate';
import { z } from 'zod';
import { accepts, activity, ask, reply, tell } from '../../src/workflow.ts';

const goMail = accepts({ GO: z.unknown(), VERDICT: z.unknown() });

/** Seeded fault: when the deadline comes first, the answer comes as one to a question that is no longer asked, and nothing is left. */
export const limbo = setup({
  schemas: goMail,
  types: { events: goMail.events },
  actors: { review: ask('reviewer') },
}).createMachine({
  id: 'limbo',
  initial: 'idle',
  states: {
    idle: { on: { GO: 'asking' } },
    asking: {
      invoke: { src: 'review', input: { type: 'QUESTION', content: 'well?' }, onDone: 'over' },
      after: { 1_000: 'waiting' },
    },
    waiting: { on: { VERDICT: 'over' } },
    over: { type: 'final' },
  },
});

const claimMail = accepts({ CLAIM: z.unknown() });

/** Seeded fault: a claim is granted at once, and closed to others only when it has been written down. */
export const board = setup({
  schemas: claimMail,
  types: { context: {} as { holders: string[] }, events: claimMail.events },
  actors: { write: activity(async (_input: { holders: string[] }) => null) },
}).createMachine({
  id: 'board',
  context: { holders: [] },
  initial: 'open',
  states: {
    open: {
      on: {
        CLAIM: {
          actions: [
            assign({ holders: ({ context, event }) => [...context.holders, event.from] }),
            reply({ type: 'INFO', content: 'it is yours' }),
          ],
        },
      },
      always: { guard: ({ context }) => context.holders.length > 0, target: 'writing' },
    },
    writing: {
      invoke: { src: 'write', input: ({ context }) => context, onDone: 'taken' },
      on: {
        CLAIM: {
          actions: [
            assign({ holders: ({ context, event }) => [...context.holders, event.from] }),
            reply({ type: 'INFO', content: 'it is yours' }),
          ],
        },
      },
    },
    taken: { on: { CLAIM: { actions: reply({ type: 'INFO', content: 'it is taken' }) } } },
  },
});

/** Two timers of one step, and one that is set later and is shorter. */
export const clocks = setup({
  types: { context: {} as { seen: string } },
  delays: { short: 10, long: 30 },
}).createMachine({
  id: 'clocks',
  context: { seen: '' },
  type: 'parallel',
  states: {
    a: {
      initial: 'on',
      states: {
        on: { after: { long: { target: 'off', actions: assign({ seen: ({ context }) => `${context.seen}L` }) } } },
        off: { type: 'final' },
      },
    },
    b: {
      initial: 'on',
      states: {
        on: { after: { short: { target: 'again', actions: assign({ seen: ({ context }) => `${context.seen}s` }) } } },
        again: { after: { short: { target: 'more', actions: assign({ seen: ({ context }) => `${context.seen}t` }) } } },
        more: { after: { 15: { target: 'off', actions: assign({ seen: ({ context }) => `${context.seen}u` }) } } },
        off: { type: 'final' },
      },
    },
  },
});

const child = setup({}).createMachine({
  id: 'child',
  initial: 'on',
  states: {
    on: { on: { END: 'off' }, entry: tell('top', { type: 'INFO', content: 'last words' }), always: 'off' },
    off: { type: 'final' },
  },
});

const infoMail = accepts({ INFO: z.unknown() });

/** Hears of its child by plain mail and by its end. */
export const top = setup({
  schemas: infoMail,
  types: { context: {} as { heard: string[] }, events: infoMail.events },
  actors: { child },
}).createMachine({
  id: 'top',
  context: { heard: [] },
  initial: 'on',
  on: { INFO: { actions: assign({ heard: ({ context }) => [...context.heard, 'INFO'] }) } },
  states: {
    on: {
      invoke: {
        src: 'child',
        id: 'c',
        onDone: { target: 'off', actions: assign({ heard: ({ context }) => [...context.heard, 'END'] }) },
      },
    },
    off: {},
  },
});

const bounded = setup({}).createMachine({
  id: 'bounded',
  initial: 'on',
  states: { on: { after: { 5: 'off' } }, off: { type: 'final' } },
});

/** Starts a child in each of its rounds, for ever. */
export const rounds = setup({ actors: { bounded } }).createMachine({
  id: 'rounds',
  initial: 'a',
  states: {
    a: { invoke: { src: 'bounded', id: 'c', onDone: 'b' } },
    b: { invoke: { src: 'bounded', id: 'c', onDone: 'a' } },
  },
});

/** Sends to whoever is not there, and knows what to do about it. */
export const lost = setup({
  types: {
    context: {} as { heard: string },
    events: {} as { type: 'mailroom.delivery-failed'; code: string; to: string },
  },
  actors: { review: ask('nobody') },
}).createMachine({
  id: 'lost',
  context: { heard: '' },
  initial: 'on',
  entry: [tell('noone', { type: 'INFO', content: '' }), tell('bob', { type: 'UNKNOWN', content: '' })],
  on: {
    'mailroom.delivery-failed': {
      actions: assign({ heard: ({ context, event }) => `${context.heard}${event.to}:${event.code} ` }),
    },
  },
  states: {
    on: {
      invoke: {
        src: 'review',
        input: { type: 'QUESTION', content: '?' },
        onError: { target: 'off', actions: assign({ heard: ({ context }) => `${context.heard}ask ` }) },
      },
    },
    off: {},
  },
});

const pingMail = accepts({ PING: z.unknown() });

/** Throws at its second PING. */
export const fragile = setup({
  schemas: pingMail,
  types: { context: {} as { n: number }, events: pingMail.events },
}).createMachine({
  id: 'fragile',
  context: { n: 0 },
  on: {
    PING: {
      actions: assign({
        n: ({ context }) => {
          if (context.n === 1) throw new RangeError('one is enough');
          return context.n + 1;
        },
      }),
    },
  },
});

const helper = setup({ types: { events: {} as { type: 'WORK' } } }).createMachine({
  id: 'helper',
  initial: 'on',
  states: { on: { on: { WORK: 'off' } }, off: { type: 'final' } },
});

/** Has one helper after the other under the same address in the room. */
export const successive = setup({
  schemas: pingMail,
  types: { events: pingMail.events },
  actors: { helper },
}).createMachine({
  id: 'successive',
  initial: 'first',
  states: {
    first: { invoke: { src: 'helper', id: 'h', systemId: 'helper' }, on: { PING: 'second' } },
    second: {
      invoke: { src: 'helper', id: 'h', systemId: 'helper', onDone: 'over' },
      entry: [],
      on: { PING: { actions: sendTo('h', { type: 'WORK' }) } },
    },
    over: { type: 'final' },
  },
});
