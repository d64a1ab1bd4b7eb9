import type { StepFailure, WorkflowState } from '../machine/workflow-state.ts';
import type { CommitRecord } from './journal-record.ts';
import { delayedName, timerName } from './waiting-for.ts';

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

/** Where a workflow is: its state, or how it ended. */
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

/** The error of a step, with its place. */
export function describeFailure({ name, message, place }: StepFailure): string {
  return `${name}: ${message}${place === undefined ? '' : ` (at ${place})`}`;
}

/** What a timer was for: the event that the machine was given, or the message that went out. */
export function timerText({ cause, outbox }: Pick<CommitRecord, 'cause' | 'outbox'>): string {
  if ('event' in cause && cause.event) return `timer ${timerName(cause.event.type)}`;
  return outbox[0] ? `timer ${delayedName(outbox[0])}` : 'timer';
}
