import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AnyStateMachine } from 'xstate';
import { withFields } from '../host/with-fields.ts';
import { errorFacts } from '../errors.ts';
import { type Cause, isDispensable } from './cause.ts';
import { endingMail } from './ending.ts';
import { relayMail } from './event-mail.ts';
import type { PlannedMessage } from './outgoing.ts';
import { type PlannedEffects, planEffects, type PlannedAction, type PlannedLog, setAside } from './plan-effects.ts';
import type { PlainEvent, StepFailure, WorkflowState } from './workflow-state.ts';
import { step, type Step } from './xstate-step.ts';

export interface StepResult {
  /** The state after the step. */
  readonly state: WorkflowState;
  /**
   * `stepped`: the machine took a transition. `unhandled`: the machine has no transition for the event in this state. `failed`:
   * the step threw; the state then depends on the cause, see `failedStep`.
   */
  readonly verdict: 'stepped' | 'unhandled' | 'failed';
  readonly failure?: StepFailure;
  /** In the order of sending. */
  readonly mail: readonly PlannedMessage[];
  readonly actions: readonly PlannedAction[];
  readonly logs: readonly PlannedLog[];
  readonly emitted: readonly PlainEvent[];
  /** The addresses, other than its own children, that the machine asked `system.get` for, and whether a workflow was there. */
  readonly kin?: Readonly<Record<string, boolean>>;
}

export interface StepOptions {
  readonly machine: AnyStateMachine;
  readonly address: string;
  /** Undefined before the first step of an incarnation. For a FAILED workflow, `cause` is the one that failed, or a stop. */
  readonly state: WorkflowState | undefined;
  readonly cause: Cause;
  /** Ms since the epoch: timers count from here. */
  readonly at: number;
  /** Gives each outgoing message its id, in order. */
  readonly nextId: () => string;
  /** Whether an ancestor, or a child of one, runs at this address. Default: none does. */
  readonly isKin?: (address: string) => boolean;
}

/**
 * Takes one step of a workflow: the state after a cause, and the effects that it asks for. Pure and executes nothing, so that
 * host, replay and explorer share this function. Throws only on a broken invariant.
 */
export function stepWorkflow(options: StepOptions): StepResult {
  const { machine, address, cause, at, nextId } = options;
  const before = withoutCause(options);
  if (cause.kind === 'timer' && !cause.event) return sendDelayedMail(options, before);
  // A machine that has ended takes no transitions, even where XState would find one.
  if (before.status !== 'active')
    return { state: before, verdict: 'unhandled', mail: [], actions: [], logs: [], emitted: [] };
  if (cause.kind === 'relay') return relayEvent(cause, options, before);
  const kin: Record<string, boolean> = {};
  const isKin = (asked: string): boolean => (kin[asked] ??= options.isKin?.(asked) ?? false);
  const kinAsked = (): Pick<StepResult, 'kin'> => (Object.keys(kin).length === 0 ? {} : { kin });
  let taken: Step;
  let planned: PlannedEffects;
  try {
    taken = step(machine, stepInput({ address, before, cause, isKin }));
    planned = planEffects(taken.effects, { machine, address, state: before, cause, at, nextId });
  } catch (error) {
    const place = placeOf(error);
    return {
      ...failedStep(options, { ...errorFacts(error), ...(place === undefined ? {} : { place }) }),
      ...kinAsked(),
    };
  }
  const { snapshot, status, output, error, isHandled } = taken;
  const { timers, calls, mail, actions, logs, emitted } = planned;
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
  const verdict = isHandled ? 'stepped' : 'unhandled';
  return { state, verdict, mail: [...mail, ...ends], actions, logs, emitted, ...kinAsked() };
}

/**
 * The result of a step that the machine, or the host, cannot take. A dispensable message is consumed, and the state stays as it
 * was. A STOP ends the workflow even so. With any other cause somebody would wait for ever for what only this step could have
 * brought: so a child, and any workflow that fails at its start, ends with the error, which a parent hears of; every other
 * workflow becomes FAILED, and nothing is consumed.
 */
export function failedStep(options: StepOptions, failure: StepFailure): StepResult {
  const { cause, state, at } = options;
  const nothing = { verdict: 'failed', failure, mail: [], actions: [], logs: [], emitted: [] } as const;
  const before = withoutCause(options);
  if (isDispensable(cause)) return { ...nothing, state: before };
  if (cause.kind === 'stop') return { ...nothing, ...endedAs(options, before, { status: 'stopped' }) };
  if (cause.kind !== 'start' && !before.parent && state) {
    return { ...nothing, state: { ...state, failed: { at, cause, failure } } };
  }
  const { place: _place, ...error } = failure;
  return { ...nothing, ...endedAs(options, before, { status: 'error', error }) };
}

function endedAs(
  { address, nextId, cause }: StepOptions,
  before: WorkflowState,
  end: Pick<WorkflowState, 'status' | 'error'>,
): Pick<StepResult, 'state' | 'mail'> {
  const { calls } = before;
  const mail = endingMail({ address, state: before, calls, output: undefined, error: end.error, ...end, nextId });
  const snapshot = cause.kind === 'start' ? null : before.snapshot;
  return { state: { ...before, ...end, snapshot, timers: {}, calls: {} }, mail };
}

/** The state with the cause consumed: without its timer, without the call that it answers. */
function withoutCause({ state, cause, at }: StepOptions): WorkflowState {
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
  if (!state) throw new TypeError(`a workflow that was never started cannot take ${cause.kind}`);
  const steps = state.steps + 1;
  const going = state.failed ? withoutFailure(state) : state;
  if (cause.kind === 'timer') return withFields(going, { steps, timers: afterFiring(going.timers, cause.timer) });
  const call = 'call' in cause ? cause.call : undefined;
  return withFields(going, { steps, calls: call === undefined ? going.calls : without(going.calls, call) });
}

function withoutFailure({ failed: _failed, ...going }: WorkflowState): WorkflowState {
  return going;
}

function stepInput({
  address,
  before,
  cause,
  isKin,
}: {
  address: string;
  before: WorkflowState;
  cause: Cause;
  isKin: (address: string) => boolean;
}): Parameters<typeof step>[1] {
  const { parent, calls } = before;
  const surroundings = { address, parent: parent?.address, childId: parent?.childId, isKin };
  if (cause.kind === 'start') return { ...surroundings, before: undefined, input: cause.input };
  if (!('event' in cause) || !cause.event) throw new TypeError(`the cause ${cause.kind} has no event`);
  return { ...surroundings, before: before.snapshot, event: cause.event, awaited: calls };
}

/** Sends a delayed message whose time has come; the machine takes no step. */
function sendDelayedMail({ cause, state, nextId }: StepOptions, before: WorkflowState): StepResult {
  const timer = cause.kind === 'timer' ? state?.timers[cause.timer] : undefined;
  const mail = timer && 'mail' in timer ? [{ ...timer.mail, id: nextId(), effectId: timer.effectId }] : [];
  return { state: before, verdict: 'stepped', mail, actions: [], logs: [], emitted: [] };
}

/** Once one of two timers with the same send id has fired, XState's `cancel` no longer finds the other. */
function afterFiring(timers: WorkflowState['timers'], name: string): WorkflowState['timers'] {
  const left = { ...without(timers, name) };
  const { sendId } = timers[name] ?? {};
  if (sendId !== undefined) setAside(left, sendId);
  return left;
}

/** Forwards an event for another workflow; the machine takes no step. */
function relayEvent(cause: Cause & { kind: 'relay' }, { nextId }: StepOptions, state: WorkflowState): StepResult {
  const mail = relayMail(cause, state);
  const id = mail && nextId();
  const effectId = `${state.incarnation}.${state.steps}.0`;
  const lost = { label: 'not sent', value: `${cause.relayed.type} to ${cause.to}, which has ended` };
  return {
    state,
    verdict: 'stepped',
    mail: mail && id !== undefined ? [{ ...mail, id, effectId }] : [],
    actions: [],
    logs: mail ? [] : [lost],
    emitted: [],
  };
}

function without<T>(all: Readonly<Record<string, T>>, name: string): Readonly<Record<string, T>> {
  const { [name]: _gone, ...rest } = all;
  return rest;
}

const FRAME = /^\s+at (?:.*\()?((?:file:\/\/)?\/.+):(\d+):(\d+)\)?$/;

/**
 * Where a step threw an error, as `<file>:<line>:<column>`: the innermost place on the stack that is neither in Mailroom nor in a
 * package, and so in the machine. Undefined if there is none, as for a guard, whose error XState replaces with its own.
 */
function placeOf(error: unknown): string | undefined {
  const own = ownDirectory();
  const isOwn = ({ file }: Frame): boolean => own !== undefined && file.startsWith(own);
  const frames = framesOf(error);
  const thrown = frames.slice(frames.findIndex((frame) => !isOwn(frame)));
  // The frames below belong to the caller of the step.
  const end = thrown.findIndex(isOwn);
  const within = thrown.slice(0, end === -1 ? undefined : end);
  return within.filter(({ file }) => !file.includes('/node_modules/')).map(({ file, at }) => `${file}:${at}`)[0];
}

interface Frame {
  readonly file: string;
  readonly at: string;
}

function framesOf(error: unknown): Frame[] {
  if (!(error instanceof Error) || typeof error.stack !== 'string') return [];
  return error.stack.split('\n').flatMap((line) => {
    const [, where, row, column] = FRAME.exec(line) ?? [];
    const file = where === undefined ? undefined : pathOf(where);
    return file === undefined ? [] : [{ file, at: `${row}:${column}` }];
  });
}

/** A path or a URL as a path, without the query that a loader appends. */
function pathOf(where: string): string | undefined {
  try {
    return where.startsWith('file:') ? fileURLToPath(where.replace(/[?#].*$/, '')) : where.replace(/\?[^/]*$/, '');
  } catch {
    return undefined;
  }
}

/**
 * The directory of Mailroom's own code. Read from a stack, because a CommonJS bundle has no other way to know its place.
 * Precompiled code has the name of the directory in which it was built.
 */
function ownDirectory(): string | undefined {
  const [frame] = framesOf(new Error('here'));
  return frame && (/^.*\/(?:src|dist)\//.exec(frame.file)?.[0] ?? `${dirname(frame.file)}/`);
}
