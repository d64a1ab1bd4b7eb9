import type { LoopContext, LoopEnding, PullRequestReport, Delivery } from './context.ts';
import type { TestRun } from './test-run.ts';
import type { ChangeReport } from './change-events.ts';

/** The output of a development. */
export interface LoopReport {
  readonly outcome: LoopEnding['outcome'];
  readonly reason: string;
  readonly feature: string;
  readonly branch: string;
  readonly base: string;
  readonly findings: LoopContext['findings'];
  readonly planSource: string;
  readonly tasks: readonly { readonly id: string; readonly title: string }[];
  /** Every ended claim, in order. */
  readonly changes: readonly ChangeReport[];
  /** Every lost claim: task, agent and reason. */
  readonly releases?: LoopContext['releases'];
  readonly tests: readonly TestRun[];
  /** The test run on the base; null if it was not tested. Missing in reports of older versions. */
  readonly baseRun?: TestRun | null;
  readonly delivery: Delivery | null;
  /** Null if none was requested, or nothing was delivered. */
  readonly pullRequest: PullRequestReport | null;
}

/** Whether everything requested was done. */
export function isAllDone({ outcome, pullRequest }: LoopReport): boolean {
  return outcome === 'delivered' && pullRequest?.status !== 'failed';
}

export function reportOf(context: LoopContext): LoopReport {
  const { terms, findings, plan, planSource, changes, releases, tests, baseRun, delivery, pullRequest, ending } =
    context;
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
    baseRun,
    delivery,
    pullRequest,
  };
}
