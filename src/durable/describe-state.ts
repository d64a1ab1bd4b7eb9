import type { StepFailure, WorkflowState } from '../machine/workflow-state.ts';
import type { CommitRecord } from './journal-record.ts';

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

/** Behind the state in which a workflow is FAILED. */
export const FAILED_MARK = ' (FAILED)';

/** Where a workflow is: its state, or how it ended. */
export function whereabouts({ status, snapshot, failed }: WorkflowState): string {
  const text = stateText(valueOf(snapshot));
  if (failed) return `${text}${FAILED_MARK}`;
  return status === 'active' ? text : `${text} (${status})`;
}

/** XState's state value in a persisted snapshot. */
export function valueOf(snapshot: unknown): unknown {
  return typeof snapshot === 'object' && snapshot !== null && 'value' in snapshot ? snapshot.value : undefined;
}

/** What a commit did, in a few words. */
export function describeCommit({ cause, state, failure }: CommitRecord): string {
  const what =
    cause.kind === 'timer' ? `timer ${cause.timer}` : cause.kind === 'result' ? `result of ${cause.src}` : cause.kind;
  return failure ? `${what}: ${failure.message}` : `${what}: ${whereabouts(state)}`;
}

/** The error of a step, with its place. */
export function describeFailure({ name, message, place }: StepFailure): string {
  return `${name}: ${message}${place === undefined ? '' : ` (at ${place})`}`;
}
