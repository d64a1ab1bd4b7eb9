import {
  and,
  assign,
  cancel,
  emit,
  enqueueActions,
  forwardTo,
  fromPromise,
  log,
  not,
  raise,
  sendParent,
  sendTo,
  setup,
  spawnChild,
  stateIn,
  stopChild,
  type AnyStateMachine,
} from 'xstate';
import { describe, expect, it } from 'vitest';
import { checkMachine } from '../../src/step/check-machine.ts';
import { onMailroom, onXState, type Script, type Seen } from './both.ts';
import { Played } from './mail.ts';

type Case = readonly [what: string, machine: AnyStateMachine, script?: Script, input?: unknown];

/** A machine without precise types. */
function machineOf(config: unknown, implementations: unknown = {}): AnyStateMachine {
  return setup(implementations as never).createMachine(config as never) as unknown as AnyStateMachine;
}

interface Ref {
  readonly id: string;
  getSnapshot: () => {
    readonly value: unknown;
    readonly context: Record<string, unknown>;
    readonly children: Readonly<Record<string, Ref | undefined>>;
    matches: (value: string) => boolean;
    can: (event: object) => boolean;
    hasTag: (tag: string) => boolean;
    getMeta: () => unknown;
  };
  getPersistedSnapshot: () => unknown;
  send: (event: object) => void;
  subscribe: (observer: () => void) => void;
}

interface Args {
  readonly context: Record<string, unknown>;
  readonly event: Record<string, unknown>;
  readonly self: Ref;
  readonly system: { get: (key: string) => Ref | undefined; getAll: () => unknown; getSnapshot: () => unknown };
}

/** Appends to `seen`, the only part of the context. */
const see = (what: (args: Args) => unknown) =>
  assign({ seen: (args: unknown) => [...((args as Args).context['seen'] as unknown[]), what(args as Args)] });
const seen = { seen: [] };
const GO = { type: 'GO' };
/** Two delayed events with one send id, taken back at GO. */
const cancelledAtGo = machineOf({
  context: seen,
  entry: [raise({ type: 'A' }, { delay: 3, id: 'x' }), raise({ type: 'B' }, { delay: 5, id: 'x' })],
  on: { GO: { actions: cancel('x') }, '*': { actions: see(({ event }) => event['type']) } },
});

const echo = fromPromise(async ({ input }: { input: unknown }) => input);
const nothing = fromPromise(async () => {});
const fails = fromPromise(async () => {
  throw new RangeError('no');
});
const rejects = (value: unknown) => fromPromise(() => Promise.reject(value as Error));
const kid = machineOf({
  id: 'kid',
  context: ({ input }: { input: unknown }) => ({ input }),
  initial: 'on',
  states: { on: { on: { END: 'off', TELL: { actions: sendParent({ type: 'TOLD' }) } } }, off: { type: 'final' } },
  output: ({ context }: Args) => context['input'],
});

const same: readonly Case[] = [
  [
    'two delayed events with one send id both arrive',
    machineOf({
      context: seen,
      entry: [raise({ type: 'A' }, { delay: 3, id: 'x' }), raise({ type: 'B' }, { delay: 5, id: 'x' })],
      on: { '*': { actions: see(({ event }) => event['type']) } },
    }),
    [2, 1, 1, 1, 3],
  ],
  ['cancel takes back the later of two with one send id', cancelledAtGo, [1, GO, 9]],
  ['cancel takes back neither once the earlier of two with one send id has fired', cancelledAtGo, [4, GO, 9]],
  [
    'cancel takes back the last of three with one send id, of which the last is due first',
    machineOf({
      context: seen,
      entry: [
        raise({ type: 'A' }, { delay: 8, id: 'x' }),
        raise({ type: 'B' }, { delay: 5, id: 'x' }),
        raise({ type: 'C' }, { delay: 2, id: 'x' }),
      ],
      on: { GO: { actions: cancel('x') }, '*': { actions: see(({ event }) => event['type']) } },
    }),
    [1, GO, 3, GO, 9],
  ],
  [
    'events to oneself with one send id',
    machineOf({
      context: seen,
      on: {
        GO: {
          actions: [
            sendTo(({ self }) => self, { type: 'A' }, { delay: 2, id: 'x' }),
            sendTo(({ self }) => self, { type: 'A' }, { delay: 4, id: 'x' }),
          ],
        },
        NO: { actions: cancel('x') },
        '*': { actions: see(({ event }) => event['type']) },
      },
    }),
    [GO, 1, { type: 'NO' }, 9, GO, 3, { type: 'NO' }, 9],
  ],
  [
    'self.getSnapshot() is the state before the step',
    machineOf({
      context: { ...seen, n: 0 },
      initial: 'a',
      states: {
        a: {
          on: {
            GO: {
              target: 'b',
              actions: [
                assign({ n: 1 }),
                see(({ self }) => [
                  self.getSnapshot().value,
                  self.getSnapshot().context.n,
                  self.getSnapshot().matches('a'),
                  self.getSnapshot().can({ type: 'GO' }),
                ]),
              ],
            },
          },
        },
        b: {
          entry: see(({ self }) => self.getSnapshot().value),
          on: { GO: { actions: see(({ self }) => self.getSnapshot().value) } },
        },
      },
    }),
    [GO, GO],
  ],
  [
    'the snapshot cannot be read while the machine begins',
    machineOf({ context: ({ self }: Args) => ({ value: self.getSnapshot().value }) }),
  ],
  [
    'system.get() of nobody is undefined',
    machineOf({
      context: seen,
      entry: see(({ system }) => (system.get('nobody') ? 'there' : 'missing')),
      on: { GO: { actions: see(({ system }) => system.get('nobody') === undefined) } },
    }),
    [GO],
  ],
  [
    'system.get() knows children as long as they run',
    machineOf(
      {
        context: seen,
        invoke: { src: 'kid', id: 'k', systemId: 'boss' },
        on: {
          GO: { actions: see(({ system }) => system.get('boss')?.id ?? null) },
          END: { actions: sendTo('k', { type: 'END' }) },
        },
      },
      { actors: { kid } },
    ),
    [GO, { type: 'END' }, GO],
  ],
  [
    'a systemId is free again when its child has ended',
    machineOf(
      {
        context: seen,
        entry: spawnChild('kid' as never, { id: 'k', systemId: 'boss' }),
        on: {
          END: { actions: sendTo('k', { type: 'END' }) },
          GO: {
            actions: [
              spawnChild('kid' as never, { id: 'k2', systemId: 'boss' }),
              see(({ system }) => system.get('boss')?.id),
            ],
          },
        },
      },
      { actors: { kid } },
    ),
    [{ type: 'END' }, GO],
  ],
  [
    'sending to a child by system.get()',
    machineOf(
      {
        context: seen,
        invoke: { src: 'kid', id: 'k', systemId: 'boss' },
        on: {
          GO: { actions: sendTo(({ system }) => system.get('boss'), { type: 'TELL' }) },
          TOLD: { actions: see(() => 'told') },
        },
      },
      { actors: { kid } },
    ),
    [GO],
  ],
  [
    'what is sent to a missing actor comes back to the sender',
    machineOf({
      context: seen,
      on: {
        GO: { actions: sendTo(({ system }) => system.get('nobody'), { type: 'LOST' }) },
        LOST: { actions: see(() => 'own') },
      },
    }),
    [GO],
  ],
  [
    'a sibling is reached by system.get(), and one that has ended is not there',
    machineOf(
      {
        context: seen,
        invoke: [
          { src: 'asker', id: 'a', systemId: 'asker' },
          { src: 'teller', id: 't', systemId: 'teller' },
        ],
        on: {
          GO: { actions: sendTo('a', { type: 'GO' }) },
          END: { actions: sendTo('t', { type: 'END' }) },
          HEARD: { actions: see(({ event }) => event['what']) },
        },
      },
      {
        actors: {
          asker: machineOf({
            on: {
              GO: {
                actions: [
                  sendParent(({ system }) => ({ type: 'HEARD', what: system.get('teller') ? 'there' : 'gone' })),
                  sendTo(
                    ({ system }) => system.get('teller'),
                    ({ event }) => ({ type: 'ASKED', by: event.type }),
                  ),
                ],
              },
              ASKED: { actions: sendParent({ type: 'HEARD', what: 'own' }) },
            },
          }),
          teller: machineOf({
            initial: 'on',
            states: {
              on: {
                on: {
                  ASKED: {
                    actions: [
                      sendParent(({ event }) => ({ type: 'HEARD', what: (event as never)['by'] })),
                      sendTo(({ system }) => system.get('asker'), { type: 'NOTED' }),
                    ],
                  },
                  END: 'off',
                },
              },
              off: { type: 'final' },
            },
          }),
        },
      },
    ),
    [GO, { type: 'END' }, GO],
  ],
  [
    'a promise without a result has undefined as its output',
    machineOf(
      {
        context: seen,
        invoke: {
          src: 'nothing',
          onDone: { actions: see(({ event }) => [event['output'] === undefined, event['output'] === null]) },
        },
      },
      { actors: { nothing } },
    ),
  ],
  [
    'what has no input has undefined as its input',
    machineOf(
      {
        context: seen,
        invoke: [
          { src: 'typed', onDone: { actions: see(({ event }) => event['output']) } },
          { src: 'kid', id: 'k', onDone: { actions: see(({ event }) => event['output'] === undefined) } },
        ],
        on: { GO: { actions: sendTo('k', { type: 'END' }) } },
      },
      { actors: { typed: fromPromise(async ({ input }) => typeof input), kid } },
    ),
    [GO],
  ],
  [
    'a machine without input has undefined as its input, so defaults work',
    machineOf({ context: ({ input = { n: 7 } }: { input?: { n: number } }) => ({ n: input.n }) }),
  ],
  [
    'input: a function of context, event and self',
    machineOf(
      {
        context: seen,
        on: {
          GO: {
            actions: spawnChild('echo' as never, { id: 'e', input: ({ event }: Args) => ({ got: event['n'] }) }),
          },
          'xstate.done.actor.e': { actions: see(({ event }) => event['output']) },
        },
      },
      { actors: { echo } },
    ),
    [{ type: 'GO', n: 3 }],
  ],
  [
    'a child without output has undefined as its output',
    machineOf(
      {
        context: seen,
        invoke: {
          src: 'quiet',
          onDone: { actions: see(({ event }) => [event['output'] === undefined, event['type']]) },
        },
      },
      { actors: { quiet: machineOf({ initial: 'a', states: { a: { type: 'final' } } }) } },
    ),
  ],
  [
    'what was thrown that is no Error arrives as it is',
    machineOf(
      {
        context: seen,
        invoke: [['text'], ['list'], ['object'], ['none']].map(([src]) => ({
          src,
          onError: { actions: see(({ event }) => event['error'] ?? 'undefined') },
        })),
      },
      {
        actors: {
          text: rejects('boom'),
          list: rejects([1, null]),
          object: rejects({ type: 'ServiceNotAvailable', deep: { n: 1 } }),
          none: rejects(undefined),
        },
      },
    ),
  ],
  [
    'the name and message of an Error',
    machineOf(
      {
        context: seen,
        invoke: {
          src: 'fails',
          onError: { actions: see(({ event }) => [(event['error'] as Error).name, (event['error'] as Error).message]) },
        },
      },
      { actors: { fails } },
    ),
  ],
  [
    'onError takes the first of several whose guard holds, and names the invoke',
    machineOf(
      {
        context: seen,
        initial: 'a',
        states: {
          a: {
            invoke: {
              id: 'f',
              src: 'fails',
              onError: [
                { guard: ({ event }: Args) => (event['error'] as Error).message === 'yes', target: 'c' },
                {
                  guard: ({ event }: Args) => (event['error'] as Error).message === 'no',
                  target: 'b',
                  actions: see(({ event }) => event['actorId']),
                },
              ],
            },
          },
          b: {},
          c: {},
        },
      },
      { actors: { fails } },
    ),
  ],
  [
    'wildcards match the error of a promise',
    machineOf(
      {
        context: seen,
        invoke: { id: 'f', src: 'fails' },
        on: { 'xstate.error.*': { actions: see(({ event }) => event['type']) } },
      },
      { actors: { fails } },
    ),
  ],
  [
    'a promise that ends after its state was left changes nothing',
    machineOf(
      {
        context: seen,
        initial: 'a',
        states: { a: { invoke: { src: 'slow' }, on: { GO: 'b' } }, b: {} },
        on: { '*': { actions: see(({ event }) => event['type']) } },
      },
      { actors: { slow: fromPromise(() => new Promise((resolve) => setTimeout(resolve, 20))) } },
    ),
    [GO, 30],
  ],
  [
    'a promise gets self.id and a signal',
    machineOf(
      { context: seen, invoke: { id: 'p', src: 'p', onDone: { actions: see(({ event }) => event['output']) } } },
      { actors: { p: fromPromise(async ({ self, signal }) => [self.id, signal.aborted, typeof self.sessionId]) } },
    ),
  ],
  [
    'assign in onDone sees the context of that moment',
    machineOf(
      {
        context: { n: 1 },
        invoke: {
          src: 'echo',
          input: 5,
          onDone: {
            actions: assign({
              n: ({ context, event }: never) => (context as { n: number }).n + (event as { output: number }).output,
            }),
          },
        },
        on: { GO: { actions: assign({ n: 10 }) } },
      },
      { actors: { echo } },
    ),
    [],
  ],
  [
    'the order of exit, transition and entry actions, of parents and children',
    machineOf({
      initial: 'a',
      entry: log('in root'),
      states: {
        a: {
          entry: log('in a'),
          exit: log('out a'),
          initial: 'a1',
          states: { a1: { entry: log('in a1'), exit: log('out a1') } },
          on: { GO: { target: 'b.b2', actions: [log('go 1'), log('go 2')] } },
        },
        b: { entry: log('in b'), initial: 'b1', states: { b1: { entry: log('in b1') }, b2: { entry: log('in b2') } } },
      },
    }),
    [GO],
  ],
  [
    'log() of context and event, with a label, and of nothing at all',
    machineOf({
      context: { n: 1 },
      on: { GO: { actions: [log(({ context, event }) => [context, event.type]), log('text', 'label'), log()] } },
    }),
    [GO],
  ],
  [
    'emit() in order',
    machineOf({
      context: { n: 1 },
      on: {
        GO: {
          actions: [emit({ type: 'one' }), emit(({ context }) => ({ type: 'two', n: (context as { n: number }).n }))],
        },
      },
    }),
    [GO],
  ],
  [
    'enqueueActions with check, and what it enqueues',
    machineOf({
      context: { n: 0 },
      on: {
        GO: {
          actions: enqueueActions(({ enqueue, check, context }) => {
            if (check(({ context: { n } }) => (n as number) === 0)) enqueue.assign({ n: 1 });
            enqueue.emit({ type: 'news' });
            enqueue.raise({ type: 'MORE' });
            enqueue(log(`was ${(context as { n: number }).n}`));
          }),
        },
        MORE: { actions: log('more') },
      },
    }),
    [GO, GO],
  ],
  [
    'raise without delay, and always, before the next event',
    machineOf({
      context: { n: 0 },
      initial: 'a',
      states: {
        a: {
          on: {
            GO: { actions: [raise({ type: 'X' }), log('go')] },
            X: {
              actions: [assign({ n: ({ context }: never) => (context as { n: number }).n + 1 }), log('x')],
            },
          },
          always: { guard: ({ context }: Args) => context['n'] === 2, target: 'b' },
        },
        b: {},
      },
    }),
    [GO, GO],
  ],
  [
    'after: by number, by name, by function of the context, of zero and below',
    machineOf(
      {
        context: { n: 4 },
        initial: 'a',
        states: {
          a: { after: { 2: 'b' } },
          b: { after: { named: 'c' } },
          c: { after: { made: 'd' } },
          d: { after: { 0: 'e' } },
          e: { after: { below: 'f' } },
          f: {},
        },
      },
      { delays: { named: 3, made: ({ context }: Args) => context['n'] as number, below: -5 } },
    ),
    [1, 1, 2, 1, 3, 1],
  ],
  [
    'after is over when its state is left and entered again',
    machineOf({
      context: seen,
      initial: 'a',
      states: { a: { after: { 3: 'b' }, on: { GO: { target: 'a', reenter: true } } }, b: {} },
    }),
    [2, GO, 2, 1],
  ],
  [
    'history, shallow and deep',
    machineOf({
      initial: 'p',
      states: {
        p: {
          initial: 'x',
          states: {
            x: { on: { NEXT: 'y' } },
            y: { initial: 'y1', states: { y1: { on: { NEXT: 'y2' } }, y2: {} } },
            h: { type: 'history' },
            d: { type: 'history', history: 'deep' },
          },
          on: { OUT: 'q' },
        },
        q: { on: { BACK: 'p.h', DEEP: 'p.d' } },
      },
    }),
    [
      { type: 'NEXT' },
      { type: 'NEXT' },
      { type: 'OUT' },
      { type: 'BACK' },
      { type: 'NEXT' },
      { type: 'OUT' },
      { type: 'DEEP' },
    ],
  ],
  [
    'onDone of a parallel state, and the output of a final one',
    machineOf({
      context: seen,
      initial: 'p',
      states: {
        p: {
          type: 'parallel',
          states: {
            l: { initial: 'a', states: { a: { on: { L: 'b' } }, b: { type: 'final' } } },
            r: { initial: 'a', states: { a: { on: { R: 'b' } }, b: { type: 'final' } } },
          },
          onDone: { target: 'c', actions: see(({ event }) => event['output'] ?? null) },
        },
        c: {
          initial: 'd',
          states: { d: { type: 'final', output: { n: 1 } } },
          onDone: { target: 'e', actions: see(({ event }) => event['output']) },
        },
        e: { type: 'final', output: ({ context }: Args) => context['seen'] },
      },
      output: ({ event }: Args) => event['output'],
    }),
    [{ type: 'L' }, { type: 'R' }],
  ],
  ['a machine without output', machineOf({ initial: 'a', states: { a: { type: 'final' } } })],
  [
    'reenter, a target of itself, and a transition without a target',
    machineOf({
      initial: 'a',
      states: {
        a: {
          entry: log('in'),
          exit: log('out'),
          on: { SELF: 'a', AGAIN: { target: 'a', reenter: true }, STAY: { actions: log('stay') } },
        },
      },
    }),
    [{ type: 'SELF' }, { type: 'AGAIN' }, { type: 'STAY' }],
  ],
  [
    'wildcards: exact before partial before all, and forbidden events',
    machineOf({
      context: seen,
      on: {
        'a.b': { actions: see(() => 'a.b') },
        'a.*': { actions: see(() => 'a.*') },
        '*': { actions: see(() => '*') },
        NO: undefined,
      },
    }),
    [{ type: 'a.b' }, { type: 'a.c' }, { type: 'b' }, { type: 'NO' }],
  ],
  [
    'guards: and, not, stateIn, with params',
    machineOf(
      {
        context: seen,
        type: 'parallel',
        states: {
          l: {
            initial: 'a',
            states: {
              a: {
                on: {
                  GO: {
                    guard: and([
                      stateIn({ r: 'a' }),
                      not('isOdd'),
                      { type: 'isOver', params: ({ event }: Args) => ({ n: event['n'] }) },
                    ] as never),
                    target: 'b',
                  },
                },
              },
              b: {},
            },
          },
          r: { initial: 'a', states: { a: { on: { R: 'b' } }, b: {} } },
        },
      },
      {
        guards: {
          isOdd: ({ event }: Args) => (event['n'] as number) % 2 === 1,
          isOver: (_: unknown, { n }: { n: number }) => n > 3,
        },
      },
    ),
    [{ type: 'GO', n: 1 }, { type: 'GO', n: 2 }, { type: 'R' }, { type: 'GO', n: 4 }, { type: 'GO', n: 5 }],
  ],
  [
    'spawnChild, stopChild, and what the child says',
    machineOf(
      {
        context: seen,
        on: {
          GO: { actions: spawnChild('kid' as never, { id: 'k', input: 1 }) },
          ASK: { actions: sendTo('k', { type: 'TELL' }) },
          STOP: { actions: stopChild('k') },
          TOLD: { actions: see(() => 'told') },
          'xstate.done.*': { actions: see(({ event }) => [event['type'], event['output']]) },
        },
      },
      { actors: { kid } },
    ),
    [GO, { type: 'ASK' }, { type: 'STOP' }, GO, { type: 'ASK' }],
  ],
  [
    'self.id of a child is its id in the parent',
    machineOf(
      {
        context: seen,
        invoke: { src: 'named', id: 'my kid' },
        on: { NAME: { actions: see(({ event }) => event['name']) } },
      },
      { actors: { named: machineOf({ entry: sendParent(({ self }) => ({ type: 'NAME', name: self.id })) }) } },
    ),
  ],
  [
    'forwardTo a child, and sendParent back',
    machineOf(
      {
        context: seen,
        invoke: { src: 'kid', id: 'k' },
        on: { TELL: { actions: forwardTo('k') }, TOLD: { actions: see(({ event }) => event['type']) } },
      },
      { actors: { kid } },
    ),
    [{ type: 'TELL' }],
  ],
  [
    'entry actions send to what the state invokes',
    machineOf(
      {
        context: seen,
        entry: sendTo('k', { type: 'TELL' }),
        invoke: { src: 'kid', id: 'k' },
        on: { TOLD: { actions: see(() => 'told') } },
      },
      { actors: { kid } },
    ),
  ],
  [
    'the delayed event of a stopped machine does not come',
    machineOf({
      context: seen,
      entry: raise({ type: 'LATE' }, { delay: 3 }),
      initial: 'a',
      states: { a: { on: { GO: 'b' } }, b: { type: 'final' } },
      on: { LATE: { actions: see(() => 'late') } },
    }),
    [GO, 5],
  ],
  [
    'the error of a child is the onError of its parent',
    machineOf(
      {
        context: seen,
        invoke: { src: 'bad', onError: { actions: see(({ event }) => (event['error'] as Error).message) } },
      },
      { actors: { bad: machineOf({ invoke: { src: 'fails' } }, { actors: { fails } }) } },
    ),
  ],
  [
    'tags and meta of the snapshot',
    machineOf({
      context: seen,
      initial: 'a',
      states: {
        a: {
          tags: ['t'],
          meta: { m: 1 },
          on: { GO: { actions: see(({ self }) => [self.getSnapshot().hasTag('t'), self.getSnapshot().getMeta()]) } },
        },
      },
      id: 'm',
    }),
    [GO],
  ],
  [
    'a value that is not there is no property',
    machineOf({ context: { a: 1 }, on: { GO: { actions: assign({ b: 2 }) } } }),
    [GO],
  ],
  [
    'a machine that refuses a state twice in a row',
    machineOf({ initial: 'a', states: { a: { always: 'b' }, b: { always: 'c' }, c: { type: 'final' } } }),
  ],
  [
    'initial transitions with actions',
    machineOf({
      initial: { target: 'a', actions: log('first') },
      entry: log('root'),
      states: { a: { entry: log('a') } },
    }),
  ],
  [
    'a guard or an assign that changes the context in place',
    machineOf({
      context: () => ({ n: 0 }),
      on: {
        GO: {
          guard: ({ context }: Args) => {
            (context as { n: number }).n += 1;
            return false;
          },
        },
        SET: {
          actions: assign(({ context }: never) => {
            (context as { n: number }).n += 10;
            return {};
          }),
        },
      },
    }),
    [GO, { type: 'SET' }, GO],
  ],
  [
    'machine.provide',
    machineOf({ context: seen, on: { GO: { actions: 'note' } } }, { actions: { note: see(() => 'old') } }).provide({
      actions: { note: see(() => 'new') as never },
    }),
    [GO],
  ],
  [
    'delayed sendTo a child, cancelled and not',
    machineOf(
      {
        context: seen,
        invoke: { src: 'kid', id: 'k' },
        on: {
          GO: { actions: sendTo('k', { type: 'TELL' }, { delay: 3, id: 't' }) },
          NO: { actions: cancel('t') },
          TOLD: { actions: see(() => 'told') },
        },
      },
      { actors: { kid } },
    ),
    [GO, 4, GO, 1, { type: 'NO' }, 5],
  ],
];

/** The rows marked as different in the table of docs/workflows.md. */
const different: readonly [
  what: string,
  machine: AnyStateMachine,
  script: Script,
  input: unknown,
  there: string,
  here: string,
][] = [
  [
    'a property that is undefined is none after the step',
    machineOf({
      context: { ...seen, a: undefined },
      on: { GO: { actions: see(({ context }) => Object.keys(context).sort().join()) } },
    }),
    [GO],
    undefined,
    '[["a,seen"]]',
    '[["seen"]]',
  ],
  [
    'minus zero is zero after the step',
    machineOf({
      context: { ...seen, n: -0 },
      on: { GO: { actions: see(({ context }) => 1 / (context['n'] as number) < 0) } },
    }),
    [GO],
    undefined,
    '[[true]]',
    '[[false]]',
  ],
  [
    'two places of one object are two objects after the step',
    machineOf({
      context: () => {
        const one = { n: 1 };
        return { ...seen, a: one, b: one };
      },
      on: { GO: { actions: see(({ context }) => context['a'] === context['b']) } },
    }),
    [GO],
    undefined,
    '[[true]]',
    '[[false]]',
  ],
  [
    'an Error has its name, its message and its code, and is no instance of Error',
    machineOf(
      {
        context: seen,
        invoke: {
          src: 'odd',
          onError: {
            actions: see(({ event: { error } }) => [
              error instanceof Error,
              (error as { status?: number }).status ?? null,
              (error as { code?: string }).code,
            ]),
          },
        },
      },
      {
        actors: {
          odd: fromPromise(() => Promise.reject(Object.assign(new Error('odd'), { status: 404, code: 'ODD' }))),
        },
      },
    ),
    [],
    undefined,
    '[[[true,404,"ODD"]]]',
    '[[[false,null,"ODD"]]]',
  ],
  [
    'what a promise returns that JSON cannot represent is its error',
    machineOf(
      {
        context: seen,
        invoke: {
          src: 'dated',
          onDone: { actions: see(() => 'done') },
          onError: { actions: see(({ event }) => (event['error'] as Error).message) },
        },
      },
      { actors: { dated: fromPromise(async () => ({ at: new Date(0) })) } },
    ),
    [],
    undefined,
    '[["done"]]',
    '[["\\"dated\\" returned something at output.at that JSON cannot represent"]]',
  ],
  [
    'the error of a child machine has a name and a message, whatever was thrown',
    machineOf(
      { context: seen, invoke: { src: 'bad', onError: { actions: see(({ event }) => event['error']) } } },
      { actors: { bad: machineOf({ invoke: { src: 'text' } }, { actors: { text: rejects('boom') } }) } },
    ),
    [],
    undefined,
    '[["boom"]]',
    '[[{"name":"Error","message":"boom"}]]',
  ],
  [
    'what a child says after it was stopped is not heard',
    machineOf(
      {
        context: seen,
        initial: 'a',
        states: { a: { invoke: { src: 'kid', id: 'k' }, exit: sendTo('k', { type: 'TELL' }), on: { GO: 'b' } }, b: {} },
        on: { TOLD: { actions: see(() => 'told') } },
      },
      { actors: { kid } },
    ),
    [GO],
    undefined,
    '[["told"]]',
    '[[]]',
  ],
  [
    'a second child of one id stops the first',
    machineOf(
      {
        context: seen,
        entry: spawnChild('shy' as never, { id: 'k' }),
        on: { GO: { actions: spawnChild('shy' as never, { id: 'k' }) }, TICK: { actions: see(() => 'tick') } },
      },
      { actors: { shy: machineOf({ after: { 5: { actions: sendParent({ type: 'TICK' }) } } }) } },
    ),
    [GO, 9],
    undefined,
    '[["tick","tick"]]',
    '[["tick"]]',
  ],
  [
    'a machine that throws keeps its state',
    machineOf({
      context: { ...seen, n: 0 },
      initial: 'a',
      states: {
        a: {
          on: {
            GO: {
              target: 'b',
              actions: assign(() => {
                throw new RangeError('no');
              }),
            },
          },
        },
        b: {},
      },
    }),
    [GO],
    undefined,
    '["error"]',
    '[[]]',
  ],
];

/** What the context has seen, or the status where there is none. */
function lastOf({ states }: Seen): unknown {
  const { status, context } = states.at(-1) ?? {};
  return [(context as { seen?: unknown } | undefined)?.seen ?? status];
}

/** What is refused at run time, and the error text. */
const refused: readonly [what: string, action: unknown, message: string][] = [
  [
    'a Date in the context',
    assign({ at: () => new Date(0) }),
    'put something at context.at that JSON cannot represent',
  ],
  ['NaN in the context', assign({ n: Number.NaN }), 'put something at context.n that JSON cannot represent'],
  ['a delay of Infinity', raise({ type: 'X' }, { delay: Infinity }), 'has the delay Infinity'],
  ['a delay of NaN', raise({ type: 'X' }, { delay: Number.NaN }), 'has the delay NaN'],
  [
    'a child that is looked at',
    see(({ self }) => self.getSnapshot().children['k']?.getSnapshot()),
    'read the state of its child "k"',
  ],
  [
    'a child by its systemId',
    see(({ system }) => system.get('boss')?.getSnapshot()),
    'read the state of its child "k"',
  ],
  ['send() of a child', see(({ system }) => system.get('boss')?.send({ type: 'X' })), 'called send() of its child "k"'],
  [
    'subscribe() of a child',
    see(({ system }) => system.get('boss')?.subscribe(() => {})),
    'read the state of its child "k"',
  ],
  ['self.send()', see(({ self }) => self.send({ type: 'X' })), 'called self.send()'],
  ['self.getPersistedSnapshot()', see(({ self }) => self.getPersistedSnapshot()), 'called self.getPersistedSnapshot()'],
  ['system.getAll()', see(({ system }) => system.getAll()), 'called system.getAll()'],
  ['system.getSnapshot()', see(({ system }) => system.getSnapshot()), 'called system.getSnapshot()'],
  [
    'spawn() in assign',
    assign({
      k: ({ spawn }: never) => (spawn as (src: string, options: object) => { id: string })('kid', { id: 'k9' }).id,
    }),
    'made the child "k9" with spawn()',
  ],
  ['an event to a promise', sendTo('p', { type: 'X' }), 'sends X to p, which is neither'],
];

describe('a machine on XState and on Mailroom', () => {
  it.each(same.map((one) => [one[0], one] as const))('%s', async (_, [, machine, script = [], input]) => {
    checkMachine(machine);
    const given = { script, input };
    const [there, here] = [await onXState(machine, given), await onMailroom(machine, given)];
    expect({ ...here, error: wordsOf(here.error) }).toEqual({ ...there, error: wordsOf(there.error) });
  });
});

describe('what stays different from XState', () => {
  it.each(different)('%s', async (_, machine, script, input, there, here) => {
    checkMachine(machine);
    const given = { script, input };
    expect(JSON.stringify(lastOf(await onXState(machine, given)))).toBe(there);
    expect(JSON.stringify(lastOf(await onMailroom(machine, given)))).toBe(here);
  });

  it.each(refused)('refuses %s in the step', (_, action, message) => {
    const machine = machineOf(
      {
        context: seen,
        invoke: [
          { src: 'kid', id: 'k', systemId: 'boss' },
          { src: 'nothing', id: 'p' },
        ],
        on: { GO: { actions: action } },
      },
      { actors: { kid, nothing } },
    );
    checkMachine(machine);
    const played = new Played(machine);
    const { verdict, failure } = played.event('GO');
    expect(verdict).toBe('failed');
    expect(failure?.message).toContain(message);
  });
});

function wordsOf(error: unknown): unknown {
  return error === undefined ? undefined : (error as Error).message;
}
