import type { AnyActorLogic, AnyActorRef, AnyActorScope, AnyStateMachine } from 'xstate';
import { InvalidInput } from '../errors.ts';

const inertMachines = new WeakMap<AnyStateMachine, AnyStateMachine>();

/** The same machine with a placeholder for each child, so that a step starts nothing and computes nothing of theirs. */
export function inert(machine: AnyStateMachine): AnyStateMachine {
  let found = inertMachines.get(machine);
  if (!found) {
    const actors = Object.fromEntries(Object.keys(machine.implementations.actors).map((src) => [src, placeholder()]));
    found = machine.provide({ actors });
    inertMachines.set(machine, found);
  }
  return found;
}

/** What a reference to a child cannot tell in its parent's step, because the child has a step of its own. */
const UNSEEN = { getSnapshot: unseen, subscribe: unseen, on: unseen, select: unseen, send: unsent };

function unseen(this: AnyActorRef): never {
  throw new InvalidInput(`A machine looked at its child "${this.id}", whose state a durable step cannot see.`, {
    hint: 'Have the child send what is needed: sendParent({ type: … }), or its output.',
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
