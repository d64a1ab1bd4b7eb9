import { createEmptyActor, type AnyActorScope, type AnyStateMachine } from 'xstate';
import { InvalidInput } from '../errors.ts';
import type { ExecutedAction } from './effect-of.ts';
import { mailRef } from './mail-ref.ts';

/** The surroundings in which XState takes one step, and what came of it. */
export interface StepScope {
  readonly scope: AnyActorScope;
  readonly executed: readonly ExecutedAction[];
  /** How many transitions were taken so far. */
  readonly transitionsTaken: () => number;
}

/** What is the same for every step: an actor of XState's own for each of them was half of what a step cost. */
const actor = createEmptyActor();
const bareSelf = Object.assign(Object.create(actor) as typeof actor, {
  send: refuse('send'),
  start: refuse('start'),
  stop: refuse('stop'),
  subscribe: refuse('subscribe'),
  on: refuse('on'),
});

/** What no durable step can see would be lost without a word. */
function refuse(method: string): () => never {
  return () => {
    throw new InvalidInput(`A machine called self.${method}(), which a durable step cannot see.`, {
      hint: 'Use actions: raise(event), or sendTo(({ self }) => self, event).',
    });
  };
}

/** A scope for one step: nothing in it is started, sent, scheduled or executed. */
export function createStepScope(
  machine: AnyStateMachine,
  { address, parent }: { address: string; parent: string | undefined },
): StepScope {
  const executed: ExecutedAction[] = [];
  const keyedActors = new Map<string, unknown>();
  const unregister = ({ systemId }: { systemId?: string }): void => {
    if (systemId !== undefined) keyedActors.delete(systemId);
  };
  let transitionsTaken = 0;
  const system = Object.assign({}, actor.system, {
    // Another workflow of the room is reached by its address.
    get: (key: string) => mailRef(key),
    getAll: () => Object.fromEntries(keyedActors),
    _register: (sessionId: string) => sessionId,
    _unregister: unregister,
    _set: (key: string, child: unknown) => {
      if (keyedActors.has(key) && keyedActors.get(key) !== child)
        throw new Error(`Actor with system ID '${key}' already exists.`);
      keyedActors.set(key, child);
    },
    _sendInspectionEvent: ({ type, _transitions }: { type: string; _transitions?: readonly unknown[] }) => {
      if (type === '@xstate.microstep') transitionsTaken += _transitions?.length ?? 0;
    },
  }) as unknown as AnyActorScope['system'];
  const self = Object.assign(Object.create(bareSelf) as AnyActorScope['self'], {
    id: address.split('.').at(-1),
    sessionId: address,
    logic: machine,
    src: machine.id,
    system,
    _parent: parent === undefined ? undefined : mailRef(parent),
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
  return { scope, executed, transitionsTaken: () => transitionsTaken };
}
