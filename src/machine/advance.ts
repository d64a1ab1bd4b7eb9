import type { AnyStateMachine } from 'xstate';
import { withFields } from '../host/with-fields.ts';
import type { Cause } from './cause.ts';
import { applyEffects, type Applied, type PlannedAction, type PlannedLog } from './apply-effects.ts';
import type { PlannedMail } from './outgoing-mail.ts';
import { endingMail } from './ending.ts';
import { step, type Step } from './step.ts';
import { errorFacts, type ErrorFacts, type PlainEvent, type WorkflowState } from './workflow-state.ts';

export interface Advance {
  /** The state after it. */
  readonly state: WorkflowState;
  /**
   * `stepped`: the machine took a transition. `unhandled`: it has none for the event in this state. `failed`: the step
   * threw, and the state is the last good one; where there is none yet, the workflow has ended with that error.
   */
  readonly verdict: 'stepped' | 'unhandled' | 'failed';
  readonly failure?: ErrorFacts;
  /** In the order in which they go out. */
  readonly mail: readonly PlannedMail[];
  readonly actions: readonly PlannedAction[];
  readonly logs: readonly PlannedLog[];
  readonly emitted: readonly PlainEvent[];
}

export interface AdvanceOptions {
  readonly machine: AnyStateMachine;
  readonly address: string;
  /** Undefined before the first step of an incarnation. */
  readonly state: WorkflowState | undefined;
  readonly cause: Cause;
  /** Ms since the epoch: timers count from here. */
  readonly at: number;
  /** Gives each outgoing message its id, in order. */
  readonly nextId: () => string;
}

/**
 * What a workflow becomes through one cause, and what is to be done about it: pure, so that the host, the replay and the
 * explorer all decide by the same function. Nothing in it throws but a broken invariant.
 */
export function advance(options: AdvanceOptions): Advance {
  const { machine, address, cause, at, nextId } = options;
  const before = settled(options);
  if (cause.kind === 'timer' && !cause.event) return mailOfTimer(options, before);
  // A machine that has ended takes no transitions, even where XState would find one.
  if (before.status !== 'active')
    return { state: before, verdict: 'unhandled', mail: [], actions: [], logs: [], emitted: [] };
  let taken: Step;
  let applied: Applied;
  try {
    taken = step(machine, stepInput({ address, before, cause }));
    applied = applyEffects(taken.effects, { machine, address, state: before, cause, at, nextId });
  } catch (error) {
    return failed(options, before, errorFacts(error));
  }
  const { snapshot, status, output, error, isHandled } = taken;
  const { timers, calls, mail, actions, logs, emitted } = applied;
  const isActive = status === 'active';
  const ends = isActive ? [] : endingMail({ address, state: before, calls, status, output, error, nextId });
  const state: WorkflowState = withFields(before, {
    snapshot,
    status,
    ...(output === undefined ? {} : { output }),
    ...(error === undefined ? {} : { error }),
    timers: isActive ? timers : {},
    calls: isActive ? calls : {},
    since: isHandled ? at : before.since,
  });
  return { state, verdict: isHandled ? 'stepped' : 'unhandled', mail: [...mail, ...ends], actions, logs, emitted };
}

/** What becomes of a step that the machine could take and its host cannot: as if it had thrown. */
export function failedStep(options: AdvanceOptions, failure: ErrorFacts): Advance {
  return failed(options, settled(options), failure);
}

function failed({ address, cause, nextId }: AdvanceOptions, before: WorkflowState, failure: ErrorFacts): Advance {
  const nothing = { verdict: 'failed', failure, actions: [], logs: [], emitted: [] } as const;
  if (cause.kind !== 'start') return { ...nothing, state: before, mail: [] };
  const ended = { status: 'error', output: undefined, error: failure } as const;
  const mail = endingMail({ address, state: before, calls: {}, ...ended, nextId });
  return { ...nothing, state: { ...before, status: 'error', error: failure, snapshot: null }, mail };
}

/** The state in which the cause itself is dealt with: its timer is over, its call has its answer. */
function settled({ state, cause, at }: AdvanceOptions): WorkflowState {
  if (cause.kind === 'start') {
    const { incarnation, input, parent } = cause;
    const begun = {
      incarnation,
      status: 'active',
      steps: 1,
      snapshot: undefined,
      input,
      timers: {},
      calls: {},
      since: at,
    } as const;
    return parent ? { ...begun, parent } : begun;
  }
  if (!state) throw new TypeError(`a workflow that was not started is to take ${cause.kind}`);
  const steps = state.steps + 1;
  if (cause.kind === 'timer') return withFields(state, { steps, timers: without(state.timers, cause.timer) });
  const call = 'call' in cause ? cause.call : undefined;
  return withFields(state, { steps, calls: call === undefined ? state.calls : without(state.calls, call) });
}

function stepInput({
  address,
  before,
  cause,
}: {
  address: string;
  before: WorkflowState;
  cause: Cause;
}): Parameters<typeof step>[1] {
  const parent = before.parent?.address;
  if (cause.kind === 'start') return { address, parent, before: undefined, input: cause.input };
  if (!cause.event) throw new TypeError(`the cause ${cause.kind} has no event`);
  return { address, parent, before: before.snapshot, event: cause.event };
}

/** A message that was to go out later goes out now; the machine itself is not concerned. */
function mailOfTimer({ cause, state, nextId }: AdvanceOptions, before: WorkflowState): Advance {
  const timer = cause.kind === 'timer' ? state?.timers[cause.timer] : undefined;
  const mail = timer && 'mail' in timer ? [{ ...timer.mail, id: nextId(), effectId: timer.effectId }] : [];
  return { state: before, verdict: 'stepped', mail, actions: [], logs: [], emitted: [] };
}

function without<T>(all: Readonly<Record<string, T>>, name: string): Readonly<Record<string, T>> {
  const { [name]: _gone, ...rest } = all;
  return rest;
}
