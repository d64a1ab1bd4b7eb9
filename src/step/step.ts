import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AnyStateMachine } from 'xstate';
import { withFields } from '../host/with-fields.ts';
import { errorFacts } from '../workflow/plain-facts.ts';
import { type Cause, isDispensable } from './cause.ts';
import { endingMail } from './ending.ts';
import { relayMail } from './event-mail.ts';
import type { PlannedMail } from './outgoing.ts';
import { type Applied, applyEffects, type PlannedAction, type PlannedLog, setAside } from './plan-effects.ts';
import type { PlainEvent, StepFailure, WorkflowState } from './workflow-state.ts';
import { step, type Step } from './xstate-step.ts';

export interface Advance {
  /** The state after it. */
  readonly state: WorkflowState;
  /**
   * `stepped`: the machine took a transition. `unhandled`: it has none for the event in this state. `failed`: the step
   * threw. What that makes of the state depends on the cause, see `failed`.
   */
  readonly verdict: 'stepped' | 'unhandled' | 'failed';
  readonly failure?: StepFailure;
  /** In the order in which they go out. */
  readonly mail: readonly PlannedMail[];
  readonly actions: readonly PlannedAction[];
  readonly logs: readonly PlannedLog[];
  readonly emitted: readonly PlainEvent[];
  /** Which addresses the machine asked `system.get` for beyond its own children, and whether a workflow was there. */
  readonly kin?: Readonly<Record<string, boolean>>;
}

export interface AdvanceOptions {
  readonly machine: AnyStateMachine;
  readonly address: string;
  /** Undefined before the first step of an incarnation. A FAILED one takes the cause of its failure once more, or is stopped. */
  readonly state: WorkflowState | undefined;
  readonly cause: Cause;
  /** Ms since the epoch: timers count from here. */
  readonly at: number;
  /** Gives each outgoing message its id, in order. */
  readonly nextId: () => string;
  /** Whether an ancestor, or a child of one, runs at this address; nobody does where it is not given. */
  readonly isKin?: (address: string) => boolean;
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
  if (cause.kind === 'relay') return passedOn(cause, options, before);
  const kin: Record<string, boolean> = {};
  const isKin = (asked: string): boolean => (kin[asked] ??= options.isKin?.(asked) ?? false);
  const answers = (): Pick<Advance, 'kin'> => (Object.keys(kin).length === 0 ? {} : { kin });
  let taken: Step;
  let applied: Applied;
  try {
    taken = step(machine, stepInput({ address, before, cause, isKin }));
    applied = applyEffects(taken.effects, { machine, address, state: before, cause, at, nextId });
  } catch (error) {
    const place = placeOf(error);
    return {
      ...failedStep(options, { ...errorFacts(error), ...(place === undefined ? {} : { place }) }),
      ...answers(),
    };
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
  const verdict = isHandled ? 'stepped' : 'unhandled';
  return { state, verdict, mail: [...mail, ...ends], actions, logs, emitted, ...answers() };
}

/**
 * What becomes of a workflow by a step that its machine, or its host, cannot take. A message that nobody depends on is used up,
 * and the state stays. A STOP ends it all the same. Otherwise somebody would wait for ever for what only this step could
 * have brought: so a child, and whatever fails at its start, ends in that error, of which its parent hears; and any other
 * workflow is FAILED, with nothing used up.
 */
export function failedStep(options: AdvanceOptions, failure: StepFailure): Advance {
  const { cause, state, at } = options;
  const nothing = { verdict: 'failed', failure, mail: [], actions: [], logs: [], emitted: [] } as const;
  const before = settled(options);
  if (isDispensable(cause)) return { ...nothing, state: before };
  if (cause.kind === 'stop') return { ...nothing, ...endedAs(options, before, { status: 'stopped' }) };
  if (cause.kind !== 'start' && !before.parent && state) {
    return { ...nothing, state: { ...state, failed: { at, cause, failure } } };
  }
  const { place: _place, ...error } = failure;
  return { ...nothing, ...endedAs(options, before, { status: 'error', error }) };
}

function endedAs(
  { address, nextId, cause }: AdvanceOptions,
  before: WorkflowState,
  end: Pick<WorkflowState, 'status' | 'error'>,
): Pick<Advance, 'state' | 'mail'> {
  const { calls } = before;
  const mail = endingMail({ address, state: before, calls, output: undefined, error: end.error, ...end, nextId });
  const snapshot = cause.kind === 'start' ? null : before.snapshot;
  return { state: { ...before, ...end, snapshot, timers: {}, calls: {} }, mail };
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
  const around = { address, parent: parent?.address, childId: parent?.childId, isKin };
  if (cause.kind === 'start') return { ...around, before: undefined, input: cause.input };
  if (!('event' in cause) || !cause.event) throw new TypeError(`the cause ${cause.kind} has no event`);
  return { ...around, before: before.snapshot, event: cause.event, awaited: calls };
}

/** A message that was to go out later goes out now; the machine itself is not concerned. */
function mailOfTimer({ cause, state, nextId }: AdvanceOptions, before: WorkflowState): Advance {
  const timer = cause.kind === 'timer' ? state?.timers[cause.timer] : undefined;
  const mail = timer && 'mail' in timer ? [{ ...timer.mail, id: nextId(), effectId: timer.effectId }] : [];
  return { state: before, verdict: 'stepped', mail, actions: [], logs: [], emitted: [] };
}

/** Of two with the same send id, XState forgets by which one `cancel` finds the other as soon as one has fired. */
function afterFiring(timers: WorkflowState['timers'], name: string): WorkflowState['timers'] {
  const left = { ...without(timers, name) };
  const { sendId } = timers[name] ?? {};
  if (sendId !== undefined) setAside(left, sendId);
  return left;
}

/** An event for somebody else goes on to whom it is for; the machine itself is not concerned. */
function passedOn(cause: Cause & { kind: 'relay' }, { nextId }: AdvanceOptions, state: WorkflowState): Advance {
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
 * Where a step threw an error, as `<file>:<line>:<column>`: the innermost place on its stack that is neither Mailroom's own code
 * nor a package's, and so the machine's. Undefined where there is none: XState throws an error of its own for one in a guard.
 */
function placeOf(error: unknown): string | undefined {
  const own = ownDirectory();
  const isOwn = ({ file }: Frame): boolean => own !== undefined && file.startsWith(own);
  const frames = framesOf(error);
  const thrown = frames.slice(frames.findIndex((frame) => !isOwn(frame)));
  // Below lies whoever had the step taken.
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

/** A path or a URL as a path, without the query that a loader puts behind it. */
function pathOf(where: string): string | undefined {
  try {
    return where.startsWith('file:') ? fileURLToPath(where.replace(/[?#].*$/, '')) : where.replace(/\?[^/]*$/, '');
  } catch {
    return undefined;
  }
}

/**
 * Told by a stack, because a bundle that is CommonJS has no other way to know where it lies. Code that was compiled in advance
 * has the name of a directory in which it was built.
 */
function ownDirectory(): string | undefined {
  const [frame] = framesOf(new Error('here'));
  return frame && (/^.*\/(?:src|dist)\//.exec(frame.file)?.[0] ?? `${dirname(frame.file)}/`);
}
