import {
  createEmptyActor,
  type AnyActorRef,
  type AnyActorScope,
  type AnyMachineSnapshot,
  type AnyStateMachine,
} from 'xstate';
import { InvalidInput } from '../errors.ts';
import type { ExecutedAction } from './effect-of.ts';
import { mailRef } from './mail-ref.ts';

/** Whom a step is taken for, and what it can know of others. */
export interface StepAround {
  readonly address: string;
  /** The parent's address, for `sendParent`. */
  readonly parent?: string | undefined;
  /** Its id among its parent's children. */
  readonly childId?: string | undefined;
  /** The children that have not ended, by id; all that the snapshot has where it is not given. */
  readonly awaited?: Readonly<Record<string, unknown>>;
  /** Whether an ancestor, or a child of one, runs at an address; nobody does where it is not given. */
  readonly isKin?: (address: string) => boolean;
}

/** The surroundings in which XState takes one step, and what came of it. */
export interface StepScope {
  readonly scope: AnyActorScope;
  readonly executed: readonly ExecutedAction[];
  /** How many transitions were taken so far. */
  readonly transitionsTaken: () => number;
  /** Is told of the snapshot that the step begins from. */
  readonly restored: (from: AnyMachineSnapshot) => void;
}

const USE_ACTIONS = 'Use actions: raise(event), or sendTo(({ self }) => self, event).';
const IN_ITS_OWN_STATE = 'A step sees its own state alone: have the others send what it needs.';

/** What is the same for every step: an actor of XState's own for each of them was half of what a step cost. */
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

/** What no durable step can see would be lost without a word. */
function refuse(method: string, hint: string): () => never {
  return () => {
    throw new InvalidInput(`A machine called ${method}(), which a durable step cannot see.`, { hint });
  };
}

/** A scope for one step: nothing in it is started, sent, scheduled or executed. */
export function createStepScope(
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
  const system = Object.assign({}, actor.system, {
    get: (key: string) => {
      const child = keyedActors.get(key);
      if (child) return child;
      if (key === address) return self;
      // Every ancestor has its address as a systemId.
      if (key === parent) return parentRef;
      return isKin?.(key) ? mailRef(key) : undefined;
    },
    getAll: refuse('system.getAll', 'Ask for each: system.get(systemId).'),
    getSnapshot: refuse('system.getSnapshot', IN_ITS_OWN_STATE),
    inspect: refuse('system.inspect', 'Use mailroom inspect.'),
    // What a reference was told by itself, and not by an action.
    _relay: refuse('send', USE_ACTIONS),
    _register: (sessionId: string) => sessionId,
    _unregister: unregister,
    _set: (key: string, child: AnyActorRef) => {
      if (keyedActors.has(key) && keyedActors.get(key) !== child)
        throw new Error(`Actor with system ID '${key}' already exists.`);
      keyedActors.set(key, child);
    },
    _sendInspectionEvent: ({ type, _transitions }: { type: string; _transitions?: readonly unknown[] }) => {
      if (type === '@xstate.microstep') transitionsTaken += _transitions?.length ?? 0;
    },
  }) as unknown as AnyActorScope['system'];
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
      // A child that is stopped frees its system id at once, so that its successor may have it in the same step.
      if (action.type === 'xstate.stopChild' && action.params) unregister(action.params);
    },
  };
  return {
    scope,
    executed,
    transitionsTaken: () => transitionsTaken,
    restored: (from) => {
      before = from;
      // So does one that has ended.
      if (!awaited) return;
      for (const { id, systemId } of Object.values<AnyActorRef & { systemId?: string }>(from.children))
        if (systemId !== undefined && !(id in awaited)) keyedActors.delete(systemId);
    },
  };
}
