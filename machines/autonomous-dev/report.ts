import type { Context, Ending, TestRun, PullRequestReport, Delivery } from './context.ts';
import type { ChangeReport } from './change-events.ts';

/** What a development ends with. */
export interface LoopReport {
  readonly outcome: Ending['outcome'];
  readonly reason: string;
  readonly feature: string;
  readonly branch: string;
  readonly base: string;
  readonly findings: Context['findings'];
  readonly planSource: string;
  readonly tasks: readonly { readonly id: string; readonly title: string }[];
  /** Every claim that has ended, in that order. */
  readonly changes: readonly ChangeReport[];
  /** Every claim that was lost: of which task, by whom and why. */
  readonly releases?: Context['releases'];
  readonly tests: readonly TestRun[];
  readonly delivery: Delivery | null;
  /** Null when none was asked for, or nothing was delivered. */
  readonly pullRequest: PullRequestReport | null;
}

/** Whether all that was asked for was done. */
export function isAllDone({ outcome, pullRequest }: LoopReport): boolean {
  return outcome === 'delivered' && pullRequest?.status !== 'failed';
}

export function reportOf(context: Context): LoopReport {
  const { terms, findings, plan, planSource, changes, releases, tests, delivery, pullRequest, ending } = context;
  const { outcome, reason } = ending ?? { outcome: 'failed', reason: 'it has not ended' };
  return {
    outcome,
    reason,
    feature: terms.feature,
    branch: terms.repository.branch,
    base: terms.repository.base,
    findings,
    planSource,
    tasks: (plan?.tasks ?? []).map(({ id, title }) => ({ id, title })),
    changes,
    releases,
    tests,
    delivery,
    pullRequest,
  };
}
