import { GIVEN_UP } from '../machine/cause.ts';
import type { WorkflowState } from '../machine/workflow-state.ts';
import type { Happening } from './happenings.ts';

export interface AskedOptions {
  readonly input?: unknown;
  readonly again?: boolean | undefined;
  readonly retryFailed?: boolean | undefined;
  /** Names the run that may begin. */
  readonly incarnation: string;
}

/**
 * What a person asks of a workflow by running it, in this state: to begin, to take the step that failed once more, or to give up
 * what is FAILED and begin anew. Nothing of one that just goes on.
 */
export function askedOf(state: WorkflowState | undefined, options: AskedOptions): Happening[] {
  const { input, again = false, retryFailed = false, incarnation } = options;
  const begin: Happening = (now) =>
    now?.incarnation === incarnation ? undefined : { kind: 'start', incarnation, input };
  if (!state) return [begin];
  const { failed } = state;
  // It may fail again, and is tried once for each time that a person asks.
  if (failed && retryFailed) return [(now) => (now?.failed?.at === failed.at ? failed.cause : undefined)];
  if (failed && again) return [(now) => (now?.failed ? GIVEN_UP : undefined), begin];
  return again && state.status !== 'active' ? [begin] : [];
}
