import {
  type AnyActorLogic,
  type AnyActorRef,
  type AnyActorScope,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  createEmptyActor,
  type Snapshot,
} from 'xstate';
import { InvalidInput } from '../errors.ts';
import { findNonJson, withoutUndefined } from '../message/json-value.ts';
import { errorFacts, type ErrorFacts } from '../errors.ts';
import { mailRef } from '../workflow/send.ts';
import { type Effect, effectOf, type ExecutedAction } from './effect.ts';
import type { PlainEvent } from './workflow-state.ts';

/** What a step starts from. */
export interface StepInput extends StepAround {
  /** The persisted snapshot before the step; undefined for the first step. It is not changed. */
  readonly before: unknown;
  /** The event that causes the step; missing for the first step. */
  readonly event?: PlainEvent;
  /** The machine's input, for the first step. */
  readonly input?: unknown;
}

/** What a step leads to. */
export interface Step {
  /** XState's persisted snapshot after the step, as JSON: the `before` of the next step. */
  readonly snapshot: unknown;
  /** The status of the machine after the step. */
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  /** The machine's output, if it is done. */
  readonly output?: unknown;
  /** The machine's error, if it ended with one. */
  readonly error?: ErrorFacts;
  /** What the step asks for, in the order in which the machine asked. */
  readonly effects: readonly Effect[];
  /** Whether any transition was taken. Otherwise nothing changed. */
  readonly isHandled: boolean;
}

/** A machine that never settles fails its step instead of blocking its host for ever. */
const MICROSTEPS_MAX = 5_000;

/**
 * Takes one step of a machine. Pure: nothing is started, sent or executed, and the given snapshot is not changed.
 *
 * @throws What the machine's guards, assigns and expressions throw; `InvalidInput` for what a durable machine may not do.
 *
 * @example
 * ```ts
 * import { step } from 'agent-mailroom/runtime';
 * import { setup } from 'xstate';
 *
 * const machine = setup({}).createMachine({
 *   id: 'ship',
 *   initial: 'ready',
 *   states: { ready: { on: { GO: 'gone' } }, gone: { type: 'final' } },
 * });
 *
 * const first = step(machine, { address: 'ship', before: undefined });
 * const next = step(machine, { address: 'ship', before: first.snapshot, event: { type: 'GO' } });
 * console.log(next.status, next.effects);
 * ```
 */
export function step(machine: AnyStateMachine, options: StepInput): Step {
  const { before, parent, event, input } = options;
  // An actor scope of our own: the exported `transition()` of XState makes an actor, and runs the context's factory, each time.
  const inertMachine = withPlaceholders(machine);
  inertMachine.options.maxIterations = Math.min(machine.options.maxIterations ?? Infinity, MICROSTEPS_MAX);
  const { scope, executed, transitionsTaken, restored } = createStepScope(inertMachine, options);
  const from = before === undefined ? undefined : inertMachine.restoreSnapshot(restorable(before), scope);
  if (from) restored(from);
  const next: AnyMachineSnapshot =
    from && event ? inertMachine.transition(from, event, scope) : inertMachine.getInitialSnapshot(scope, input);
  // XState turns an exception of the first step into a snapshot that looks like a machine that ended in an error.
  if (!from && next.status === 'error') throw next.error;
  assertAllStarted(machine, { before: from, next, executed });
  assertJson(machine, next);
  const effects = executed
    .map((action) => effectOf(action, { self: scope.self, parent, machine }))
    .filter((one) => one !== undefined);
  return {
    snapshot: persisted(inertMachine, next),
    status: next.status,
    ...(next.status === 'done' && next.output !== undefined ? { output: next.output as unknown } : {}),
    ...(next.status === 'error' ? { error: errorFacts(next.error) } : {}),
    effects,
    isHandled: from === undefined || transitionsTaken() > 0 || next.status !== from.status,
  };
}

/**
 * A copy, because `restoreSnapshot` changes its argument. The copy already has the field that `restoreSnapshot` adds, so that all
 * snapshots have one shape (see `withFields`).
 */
function restorable(snapshot: unknown): Snapshot<unknown> {
  return Object.assign(structuredClone(snapshot) as Snapshot<unknown>, { _nodes: undefined });
}

/** `spawn()` inside `assign` leaves no action behind, so such a child would never be started. */
function assertAllStarted(
  machine: AnyStateMachine,
  {
    before,
    next,
    executed,
  }: { before: AnyMachineSnapshot | undefined; next: AnyMachineSnapshot; executed: readonly ExecutedAction[] },
): void {
  const started = new Set<unknown>();
  for (const { type, params } of executed) {
    if (type === 'xstate.spawnChild') started.add((params as { actorRef?: unknown }).actorRef);
  }
  for (const [id, ref] of Object.entries(next.children)) {
    if (ref === undefined || started.has(ref) || before?.children[id] === ref) continue;
    throw new InvalidInput(
      `The machine ${machine.id} made the child ${JSON.stringify(id)} with spawn() inside assign or context, which a durable step cannot see.`,
      {
        hint: 'Use the action spawnChild(src, { id, input }), or invoke.',
      },
    );
  }
}

/** Throws InvalidInput for context or output that is not JSON, because the next restart would lose it. */
function assertJson(machine: AnyStateMachine, next: AnyMachineSnapshot): void {
  const where =
    findNonJson(next.context, 'context') ??
    (next.output === undefined ? undefined : findNonJson(next.output, 'output'));
  if (where === undefined) return;
  throw new InvalidInput(`The machine ${machine.id} put something at ${where} that JSON cannot represent.`, {
    hint: 'Use text, numbers, true/false, null, arrays and plain objects; no Date, Map, Set, Error, function or actor reference.',
  });
}

function persisted(machine: AnyStateMachine, next: AnyMachineSnapshot): unknown {
  const snapshot = machine.getPersistedSnapshot(next) as unknown as Record<string, unknown>;
  // An undefined member would exist only until the next restart, and code could notice the difference.
  snapshot['context'] = withoutUndefined(snapshot['context']);
  return snapshot['status'] === 'error' ? { ...snapshot, error: errorFacts(snapshot['error']) } : snapshot;
}

/** Which workflow a step is taken for, and what the step can know of others. */
export interface StepAround {
  /** The workflow's address. */
  readonly address: string;
  /** The parent's address, for `sendParent`. Default: it has no parent. */
  readonly parent?: string | undefined;
  /** The id that the parent gave it. */
  readonly childId?: string | undefined;
  /** The children that have not ended, by id. Default: all that the snapshot has. */
  readonly awaited?: Readonly<Record<string, unknown>>;
  /** Whether an ancestor, or a child of one, runs at an address. Default: none does. */
  readonly isKin?: (address: string) => boolean;
}

/** The actor scope in which XState takes one step, and what the step did. */
export interface StepScope {
  readonly scope: AnyActorScope;
  readonly executed: readonly ExecutedAction[];
  /** How many transitions the step has taken so far. */
  readonly transitionsTaken: () => number;
  /** Call this with the snapshot that the step starts from. */
  readonly restored: (from: AnyMachineSnapshot) => void;
}

const USE_ACTIONS = 'Use actions: raise(event), or sendTo(({ self }) => self, event).';
const IN_ITS_OWN_STATE = 'A step sees only its own state: have the others send what it needs.';

/** Shared by all steps: making an XState actor for each step was half of a step's cost. */
const actor = createEmptyActor();
const bareSelf = Object.assign(Object.create(actor) as typeof actor, {
  send: refuse('self.send', USE_ACTIONS),
  start: refuse('self.start', USE_ACTIONS),
  stop: refuse('self.stop', USE_ACTIONS),
  subscribe: refuse('self.subscribe', USE_ACTIONS),
  on: refuse('self.on', USE_ACTIONS),
  select: refuse('self.select', USE_ACTIONS),
  getPersistedSnapshot: refuse('self.getPersistedSnapshot', 'Use self.getSnapshot().'),
});

/** A method that throws, because a durable step cannot see the call and its effect would be lost silently. */
function refuse(method: string, hint: string): () => never {
  return () => {
    throw new InvalidInput(`A machine called ${method}(), which a durable step cannot see.`, { hint });
  };
}

/** The actor system that a step sees: it knows actors by their systemId, and refuses everything that would act. */
function createSystem(
  keyedActors: Map<string, AnyActorRef>,
  {
    find,
    unregister,
    taken,
  }: {
    find: (key: string) => AnyActorRef | undefined;
    unregister: (child: { systemId?: string }) => void;
    taken: (transitions: number) => void;
  },
): AnyActorScope['system'] {
  return Object.assign({}, actor.system, {
    get: find,
    getAll: refuse('system.getAll', 'Ask for each: system.get(systemId).'),
    getSnapshot: refuse('system.getSnapshot', IN_ITS_OWN_STATE),
    inspect: refuse('system.inspect', 'Use mailroom inspect.'),
    // A message that was sent through a reference, not by an action.
    _relay: refuse('send', USE_ACTIONS),
    _register: (sessionId: string) => sessionId,
    _unregister: unregister,
    _set: (key: string, child: AnyActorRef) => {
      if (keyedActors.has(key) && keyedActors.get(key) !== child)
        throw new Error(`Actor with system ID '${key}' already exists.`);
      keyedActors.set(key, child);
    },
    _sendInspectionEvent: ({ type, _transitions }: { type: string; _transitions?: readonly unknown[] }) => {
      if (type === '@xstate.microstep') taken(_transitions?.length ?? 0);
    },
  });
}

/** A scope for one step: nothing in it is started, sent, scheduled or executed. */
function createStepScope(
  machine: AnyStateMachine,
  { address, parent, childId, awaited, isKin }: StepAround,
): StepScope {
  const executed: ExecutedAction[] = [];
  const keyedActors = new Map<string, AnyActorRef>();
  const unregister = ({ systemId }: { systemId?: string }): void => {
    if (systemId !== undefined) keyedActors.delete(systemId);
  };
  let transitionsTaken = 0;
  let before: AnyMachineSnapshot | undefined;
  const parentRef = parent === undefined ? undefined : mailRef(parent);
  const find = (key: string): AnyActorRef | undefined => {
    const child = keyedActors.get(key);
    if (child) return child;
    if (key === address) return self;
    // Every ancestor has its address as a systemId.
    if (key === parent) return parentRef;
    return isKin?.(key) ? mailRef(key) : undefined;
  };
  const system = createSystem(keyedActors, { find, unregister, taken: (count) => (transitionsTaken += count) });
  const self = Object.assign(Object.create(bareSelf) as AnyActorScope['self'], {
    id: childId ?? address.split('.').at(-1),
    sessionId: address,
    logic: machine,
    src: machine.id,
    system,
    _parent: parentRef,
    getSnapshot: () => {
      if (before) return before;
      throw new Error("Snapshot can't be read while the actor initializes itself");
    },
  });
  const scope: AnyActorScope = {
    self,
    id: self.id,
    sessionId: address,
    logger: () => {},
    system,
    defer: () => {},
    stopChild: () => {},
    emit: () => {},
    actionExecutor: (action) => {
      executed.push(action);
      // A stopped child frees its system id at once, so that its successor can have the id in the same step.
      if (action.type === 'xstate.stopChild' && action.params) unregister(action.params);
    },
  };
  return {
    scope,
    executed,
    transitionsTaken: () => transitionsTaken,
    restored: (from) => {
      before = from;
      if (!awaited) return;
      // A child that has ended frees its system id as well.
      for (const { id, systemId } of Object.values<AnyActorRef & { systemId?: string }>(from.children))
        if (systemId !== undefined && !(id in awaited)) keyedActors.delete(systemId);
    },
  };
}

const machinesWithPlaceholders = new WeakMap<AnyStateMachine, AnyStateMachine>();

/** The same machine with a placeholder for each actor, so that a step neither starts a child nor runs a child's code. */
function withPlaceholders(machine: AnyStateMachine): AnyStateMachine {
  let found = machinesWithPlaceholders.get(machine);
  if (!found) {
    const actors = Object.fromEntries(Object.keys(machine.implementations.actors).map((src) => [src, placeholder()]));
    found = machine.provide({ actors });
    machinesWithPlaceholders.set(machine, found);
  }
  return found;
}

/** The members that a child's reference refuses in its parent's step, because the child steps on its own. */
const UNSEEN = { getSnapshot: unseen, subscribe: unseen, on: unseen, select: unseen, send: unsent };

function unseen(this: AnyActorRef): never {
  throw new InvalidInput(`A machine read the state of its child "${this.id}", which a durable step cannot see.`, {
    hint: 'Have the child send what the parent needs: sendParent({ type: … }), or its output.',
  });
}

function unsent(this: AnyActorRef): never {
  throw new InvalidInput(`A machine called send() of its child "${this.id}", which a durable step cannot see.`, {
    hint: `Use an action: sendTo('${this.id}', event).`,
  });
}

function placeholder(): AnyActorLogic {
  const logic = {
    config: undefined,
    transition: (snapshot: unknown) => snapshot,
    getInitialSnapshot: ({ self }: AnyActorScope) => {
      Object.assign(self, UNSEEN);
      return { status: 'active' };
    },
    getPersistedSnapshot: (snapshot: unknown) => snapshot,
    restoreSnapshot: (snapshot: unknown, { self }: AnyActorScope) => {
      Object.assign(self, UNSEEN);
      return snapshot;
    },
  };
  return logic as unknown as AnyActorLogic;
}
