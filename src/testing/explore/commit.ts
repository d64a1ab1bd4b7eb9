import { stepWorkflow, type StepResult } from '../../step/step.ts';
import type { Cause } from '../../step/cause.ts';
import type { AnyStateMachine } from 'xstate';
import { isKin, type KinAt } from '../../step/kin.ts';
import type { WorkflowState } from '../../step/workflow-state.ts';
import { afterFiring, afterStep, NO_TIMERS } from './clock.ts';
import { postPlanned } from './post.ts';
import type { Situation, WorkflowAt } from './situation.ts';
import { messageIdOf, type SystemUnderTest } from './system.ts';

export interface Committed {
  readonly situation: Situation;
  readonly advanced: StepResult;
}

/** Time stands still: a new timer has its delay as its due time, and `TimerOrder` knows the rest. */
const AT = 0;

/** A step of one workflow and what a host would do about it. */
export function commit(
  system: SystemUnderTest,
  before: Situation,
  { address, cause }: { address: string; cause: Cause },
): Committed {
  const workflow = before.workflows.get(address);
  if (!workflow) throw new TypeError(`${address} is to take a step and is not there`);
  const at = (one: string): KinAt | undefined => {
    const { expected, state } = before.workflows.get(one) ?? {};
    return { parent: expected?.parent.address, state };
  };
  const advanced = advanceOnce({
    machine: workflow.machine,
    address,
    state: workflow.state,
    cause,
    isKin: (one) => isKin(one, { of: address, at }),
  });
  const { state, mail } = advanced;
  const fired = cause.kind === 'timer' ? workflow.state?.timers[cause.timer]?.effectId : undefined;
  const order = cause.kind === 'start' ? NO_TIMERS : workflow.timers;
  const timers = afterStep(fired === undefined ? order : (afterFiring(order, fired) ?? order), state.timers);
  const workflows = new Map([...before.workflows, [address, { ...workflow, state, timers }]]);
  addChildren(system, workflows, address);
  return { situation: postPlanned(system, { ...before, workflows }, { from: address, mail }), advanced };
}

/** A host opens a mailbox for each child that a state waits for, and expects its START. */
function addChildren(system: SystemUnderTest, workflows: Map<string, WorkflowAt>, parent: string): void {
  const { machine, state } = workflows.get(parent) ?? {};
  for (const [childId, call] of Object.entries(state?.calls ?? {})) {
    if (call.kind !== 'machine' || call.address in system.workflows || call.address in (system.agents ?? {})) continue;
    const { address, effectId: incarnation, src, systemId } = call;
    const former = workflows.get(address);
    if (former?.expected?.incarnation === incarnation) continue;
    workflows.set(address, {
      machine: machine?.implementations.actors[src] as AnyStateMachine,
      state: former?.state,
      timers: former?.timers ?? NO_TIMERS,
      expected: { parent: { address: parent, childId, src }, incarnation },
      isNumbered: systemId === undefined,
    });
  }
}

/** The same state takes the same cause in many orders of what happens elsewhere. */
const known = new WeakMap<WorkflowState, Map<string, StepResult>>();

function advanceOnce(options: {
  machine: AnyStateMachine;
  address: string;
  state: WorkflowState | undefined;
  cause: Cause;
  isKin: (address: string) => boolean;
}): StepResult {
  const { state, cause, address } = options;
  const words = JSON.stringify(cause);
  const found = state && known.get(state)?.get(words);
  if (found) return found;
  const incarnation = cause.kind === 'start' ? cause.incarnation : (state?.incarnation ?? '');
  let made = 0;
  const nextId = (): string => messageIdOf(`${address} ${incarnation} ${(state?.steps ?? 0) + 1} ${++made}`);
  const advanced = stepWorkflow({ ...options, at: AT, nextId });
  // What it asked of its family is another thing in another situation.
  if (state && !advanced.kin) {
    const ofState = known.get(state) ?? new Map<string, StepResult>();
    known.set(state, ofState.set(words, advanced));
  }
  return advanced;
}
