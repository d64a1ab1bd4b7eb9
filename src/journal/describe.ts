import type { BlockingStep, StepFailure, WorkflowState } from '../step/workflow-state.ts';
import { EVENT } from '../workflow/control.ts';
import type { CommitRecord } from './record.ts';

/** A state value on one line: `build.tests.run` or `build.(tests.ok, docs.write)`. */
function stateText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return '-';
  const parts = Object.entries(value).map(([name, inner]) => {
    const below = stateText(inner);
    return below === '-' ? name : `${name}.${below}`;
  });
  return parts.length === 0 ? '-' : parts.length === 1 ? (parts[0] ?? '-') : `(${parts.join(', ')})`;
}

/** The state of a workflow on one line, and how it ended or that it is FAILED. */
export function whereabouts({ status, snapshot, failed }: WorkflowState): string {
  const text = stateText(valueOf(snapshot));
  if (failed) return `${text} (FAILED)`;
  return status === 'active' ? text : `${text} (${status})`;
}

/** XState's state value in a persisted snapshot. */
export function valueOf(snapshot: unknown): unknown {
  return typeof snapshot === 'object' && snapshot !== null && 'value' in snapshot ? snapshot.value : undefined;
}

/** What a commit did, in a few words. */
export function describeCommit(commit: Pick<CommitRecord, 'cause' | 'state' | 'failure' | 'outbox'>): string {
  const { cause, state, failure } = commit;
  const what =
    cause.kind === 'timer' ? timerText(commit) : cause.kind === 'result' ? `result of ${cause.src}` : cause.kind;
  return failure ? `${what}: ${failure.message}` : `${what}: ${whereabouts(state)}`;
}

/** The error of a step, with the place that threw it. */
export function describeFailure({ name, message, place }: StepFailure): string {
  return `${name}: ${message}${place === undefined ? '' : ` (at ${place})`}`;
}

/** A timer by its purpose: the event that the machine got, or the message that was sent. */
function timerText({ cause, outbox }: Pick<CommitRecord, 'cause' | 'outbox'>): string {
  if ('event' in cause && cause.event) return `timer ${timerName(cause.event.type)}`;
  return outbox[0] ? `timer ${delayedName(outbox[0])}` : 'timer';
}

/** Something that a workflow waits for, `since` when. Times are in ms since the epoch. */
export type WaitingFor =
  /** A timer, due at `dueAt`. */
  | { readonly kind: 'timer'; readonly name: string; readonly dueAt: number }
  /** The result of the activity or command `src`. */
  | { readonly kind: 'activity' | 'command'; readonly src: string; readonly since: number }
  /** The answer of `from` to the question `questionId`. */
  | { readonly kind: 'answer'; readonly from: string; readonly questionId: string; readonly since: number }
  /** The end of the child at `address`. */
  | { readonly kind: 'child'; readonly address: string; readonly since: number };

/** What the workflow waits for other than mail; calls first, then timers by due time. */
export function waitingFor({ timers, calls }: WorkflowState): WaitingFor[] {
  const waiting = Object.values(calls).map((call): WaitingFor => {
    const { since, src } = call;
    if (call.kind === 'ask') return { kind: 'answer', from: call.to, questionId: call.questionId, since };
    if (call.kind === 'machine') return { kind: 'child', address: call.address, since };
    return { kind: call.kind, src, since };
  });
  const due = Object.values(timers)
    .map((timer): WaitingFor & { kind: 'timer' } => ({
      kind: 'timer',
      name: 'event' in timer ? timerName(timer.event.type) : delayedName(timer.mail.draft),
      dueAt: timer.dueAt,
    }))
    .sort((a, b) => a.dueAt - b.dueAt);
  return [...waiting, ...due];
}

/** XState's event type of a delayed transition has the delay: `xstate.after.patience.ship.testing` → `after patience`. */
function timerName(eventType: string): string {
  const after = /^xstate\.after\.([^.]+)\./.exec(eventType)?.[1];
  return after === undefined ? eventType : `after ${/^\d+$/.test(after) ? `${after} ms` : after}`;
}

/** The name of a delayed message: its type, or for an event to the parent or a child the type of the event. */
function delayedName({ type, content }: { readonly type: string; readonly content: string }): string {
  return type === EVENT ? content : type;
}

/** The step that blocks a FAILED workflow, and its error. */
export function describeFailed({ cause, failure }: BlockingStep): string {
  return `FAILED at ${causeText({ cause, outbox: [] })}: ${describeFailure(failure)}`;
}

export type CauseAndMail = Pick<CommitRecord, 'cause' | 'outbox'>;

/** The cause of a step, in a few words. */
export function causeText(step: CauseAndMail): string {
  const { cause } = step;
  switch (cause.kind) {
    case 'start':
      return cause.parent ? `started by ${cause.parent.address}` : 'started';
    case 'message':
      return cause.event.type === cause.mail.type ? cause.mail.type : `${cause.event.type} (event)`;
    case 'answer':
      return `answer to ${cause.call}: ${cause.mail.type}`;
    case 'ended':
      return `child ${cause.call} ended`;
    case 'relay':
      return `${cause.relayed.type} (event) for ${cause.to}`;
    case 'stop':
      return cause.mail ? 'STOP' : 'given up';
    case 'timer':
      return timerText(step);
    case 'result': {
      const outcome = cause.event.type.startsWith('xstate.error') ? 'failed' : 'done';
      return `${cause.src} ${outcome}`;
    }
    default:
      return `undeliverable to ${cause.to}`;
  }
}
