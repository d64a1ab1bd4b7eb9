import type { AnyActorLogic, AnyStateMachine } from 'xstate';

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

function placeholder(): AnyActorLogic {
  const logic = {
    config: undefined,
    transition: (snapshot: unknown) => snapshot,
    getInitialSnapshot: () => ({ status: 'active' }),
    getPersistedSnapshot: (snapshot: unknown) => snapshot,
    restoreSnapshot: (snapshot: unknown) => snapshot,
  };
  return logic as unknown as AnyActorLogic;
}
