import fc from 'fast-check';
import {
  assign,
  cancel,
  emit,
  enqueueActions,
  log,
  raise,
  sendTo,
  setup,
  spawnChild,
  stopChild,
  type AnyStateMachine,
} from 'xstate';
import { action, activity, ask, broadcast, tell } from '../../src/workflow.ts';

/** Draws numbers below n, so that a failing machine shrinks. */
export type Draw = (n: number) => number;

export const EVENTS = ['E0', 'E1', 'E2', 'E3', 'E4'] as const;
const STATES_MAX = 14;
const DEPTH_MAX = 3;
/** How often one event may be followed by steps of the machine's own. */
const FUEL = 4;
/** Far above what fuel allows. */
const ITERATIONS_MAX = 500;

interface Made {
  readonly id: string;
  readonly key: string;
  readonly kind: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  readonly isDeep: boolean;
  readonly states: readonly Made[];
}

interface Context {
  n: number;
  fuel: number;
  seen: unknown;
}

type Args = {
  readonly context: Context;
  readonly event: { readonly type: string; readonly v?: number; readonly output?: unknown };
};

const kid = setup({}).createMachine({ id: 'kid' });

const IMPLEMENTATIONS = {
  actors: {
    work: activity(async (_input: unknown) => 1),
    review: ask('alice', { question: (n: number) => ({ type: 'QUESTION', content: `${n}?` }) }),
    kid,
  },
  actions: {
    note: action((_params: { n: number }) => {}),
    count: assign({ n: ({ context }: Args) => context.n + 1 }),
    keep: assign({ seen: ({ event }: Args) => event.output ?? event.type }),
    /** Only external events have a `v`: what the machine raises itself must come to an end. */
    refuel: assign({ fuel: ({ context, event }: Args) => (event.v === undefined ? context.fuel : FUEL) }),
    burn: assign({ fuel: ({ context }: Args) => context.fuel - 1 }),
    /** Throws now and then. */
    fragile: assign({
      n: ({ context }: Args) => {
        if (context.n % 7 === 6) throw new RangeError('fragile');
        return context.n + 2;
      },
    }),
  },
  guards: {
    hasFuel: ({ context }: Args) => context.fuel > 0,
    isEven: ({ context }: Args) => context.n % 2 === 0,
    isBig: ({ event }: Args) => (event.v ?? 0) > 1,
    isSound: ({ context }: Args) => {
      if (context.n % 11 === 10) throw new RangeError('unsound');
      return true;
    },
  },
  delays: { short: 10, long: ({ context }: Args) => 20 + context.n },
};

/** A machine of up to fourteen states with everything in it that a step can meet. */
export function makeMachine(draw: Draw): AnyStateMachine {
  const all: Made[] = [];
  const root = makeState({ draw, all, id: 'm', key: 'm', depth: 0, kind: draw(5) === 0 ? 'parallel' : 'compound' });
  const config = configOf(root, { draw, all });
  const machine = setup(IMPLEMENTATIONS as never).createMachine({
    ...config,
    context: { n: draw(4), fuel: FUEL, seen: null },
    output: ({ context }: Args) => ({ n: context.n }),
  } as never);
  const made = machine as unknown as AnyStateMachine;
  made.options.maxIterations = ITERATIONS_MAX;
  return made;
}

function makeState(options: {
  draw: Draw;
  all: Made[];
  id: string;
  key: string;
  depth: number;
  kind: Made['kind'];
}): Made {
  const { draw, all, id, key, depth, kind } = options;
  const states: Made[] = [];
  const made: Made = { id, key, kind, isDeep: draw(2) === 0, states };
  all.push(made);
  if (kind !== 'compound' && kind !== 'parallel') return made;
  const count = 1 + draw(3);
  for (let at = 0; at < count && all.length < STATES_MAX; at++) {
    const isInParallel = kind === 'parallel';
    const drawn = draw(8);
    const composite = drawn < 3 && depth < DEPTH_MAX;
    const childKind = composite
      ? drawn === 0
        ? 'parallel'
        : 'compound'
      : !isInParallel && at > 0 && drawn > 6
        ? 'final'
        : 'atomic';
    states.push(makeState({ draw, all, id: `${id}.s${at}`, key: `s${at}`, depth: depth + 1, kind: childKind }));
  }
  if (states.length === 0)
    states.push(makeState({ ...options, id: `${id}.s0`, key: 's0', depth: DEPTH_MAX, kind: 'atomic' }));
  if (draw(3) === 0) states.push(makeState({ ...options, id: `${id}.h`, key: 'h', depth: DEPTH_MAX, kind: 'history' }));
  return made;
}

interface Around {
  readonly draw: Draw;
  readonly all: readonly Made[];
}

function configOf(made: Made, around: Around): Record<string, unknown> {
  const { id, kind, isDeep, states } = made;
  const { draw } = around;
  if (kind === 'history') return { id, type: 'history', history: isDeep ? 'deep' : 'shallow' };
  const inner = {
    id,
    ...(draw(3) === 0 ? { entry: actionsOf(around) } : {}),
    ...(draw(4) === 0 ? { exit: actionsOf(around) } : {}),
  };
  if (kind === 'final') return { ...inner, type: 'final', output: { of: id } };
  const on = Object.fromEntries(EVENTS.filter(() => draw(3) === 0).map((type) => [type, transitionsOf(around)]));
  const after = Object.fromEntries(
    ['short', 'long', '30'].filter(() => draw(8) === 0).map((delay) => [delay, transitionsOf(around)]),
  );
  return {
    ...inner,
    ...(states.length === 0
      ? {}
      : { states: Object.fromEntries(states.map((one) => [one.key, configOf(one, around)])) }),
    ...(kind === 'parallel' ? { type: 'parallel' } : kind === 'compound' ? { initial: states[0]?.key } : {}),
    ...(draw(4) === 0 ? { invoke: invokeOf(around) } : {}),
    ...(draw(6) === 0 ? { always: { ...transitionOf(around), guard: 'hasFuel', actions: ['burn', 'count'] } } : {}),
    ...(states.length > 0 && draw(3) === 0
      ? { onDone: { ...transitionOf(around), guard: 'hasFuel', actions: ['burn', 'count'] } }
      : {}),
    on: { ...on, ...(draw(6) === 0 ? { '*': transitionOf(around) } : {}) },
    after,
  };
}

function invokeOf(around: Around): unknown {
  const { draw } = around;
  const id = `i${draw(4)}`;
  const done = draw(3) > 0 ? { onDone: { ...transitionOf(around), actions: ['refuel', 'keep'] } } : {};
  const error = draw(3) > 0 ? { onError: transitionOf(around) } : {};
  const kidId = `k${draw(2)}`;
  const input = ({ context }: Args): number => context.n;
  switch (draw(3)) {
    case 0:
      return { src: 'work', id, input, ...done, ...error };
    case 1:
      return { src: 'review', id, input, ...done, ...error };
    default:
      return { src: 'kid', id: kidId, ...done, ...error };
  }
}

function transitionsOf(around: Around): unknown {
  return around.draw(3) === 0 ? [transitionOf(around), transitionOf(around)] : transitionOf(around);
}

function transitionOf({ draw, all }: Around): Record<string, unknown> {
  const target = all[draw(all.length)];
  const guards = ['isEven', 'isBig', 'isSound'];
  return {
    ...(draw(6) === 0 || target === undefined ? {} : { target: `#${target.id}` }),
    ...(draw(4) === 0 ? { reenter: true } : {}),
    ...(draw(3) === 0 ? { guard: guards[draw(guards.length)] } : {}),
    actions: ['refuel', ...actionsOf({ draw, all })],
  };
}

function actionsOf({ draw }: Around): unknown[] {
  return Array.from({ length: draw(4) }, () => actionOf(draw));
}

function actionOf(draw: Draw): unknown {
  const child = `i${draw(4)}`;
  const event = EVENTS[draw(EVENTS.length)] ?? 'E0';
  const raised = enqueueActions(({ enqueue, context }) => {
    if ((context as Context).fuel <= 0) return;
    enqueue('burn');
    enqueue.raise({ type: event });
  });
  const actions: (() => unknown)[] = [
    () => 'count',
    () => 'fragile',
    () => ({ type: 'note', params: ({ context }: Args) => ({ n: context.n }) }),
    () => tell('bob', ({ context }: Args) => ({ type: 'INFO', content: String(context.n) })),
    () => tell('bob', { type: 'INFO', content: 'later' }, { delay: 15, id: 'mail' }),
    () => broadcast({ type: 'INFO', content: event }),
    () => raised,
    () => raise({ type: event }, { delay: 25, id: `t${draw(2)}` }),
    () => cancel(`t${draw(2)}`),
    () => spawnChild('kid' as never, { id: `k${draw(2)}`, input: draw(3) }),
    () => spawnChild('work' as never, { id: child, input: draw(3) }),
    () => stopChild(child),
    () => stopChild(`k${draw(2)}`),
    () => sendTo(({ self }) => self, { type: event }),
    // To one that may not be there; then the step fails.
    () => sendTo(`k${draw(2)}`, { type: 'PING' }),
    () => log(({ context }: Args) => context.n, 'n'),
    () => emit({ type: 'news' }),
  ];
  return actions[draw(actions.length)]?.();
}

/** Draws from fast-check. */
export function drawFrom(gen: fc.GeneratorValue): Draw {
  return (n) => gen(fc.nat, { max: n - 1 });
}
