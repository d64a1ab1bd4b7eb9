import type { Disagreement } from './disagreement.ts';
import type { Feedback } from './feedback.ts';

export interface Statistics {
  /** How many rounds there were. */
  readonly rounds: number;
  readonly feedback: number;
  readonly approvals: number;
  readonly changeRequests: number;
  readonly issues: number;
  readonly suggestions: number;
  /** Items, of issues and of feedback. */
  readonly evidence: number;
  readonly disagreements: number;
  /** Positions against an issue. */
  readonly challenges: number;
  /** By the names of those who answered. */
  readonly reviewers: readonly { readonly reviewer: string; readonly feedback: number; readonly issues: number }[];
}

export function statisticsOf({
  round,
  feedback,
  disagreements,
}: {
  readonly round: number;
  readonly feedback: readonly Feedback[];
  readonly disagreements: readonly Disagreement[];
}): Statistics {
  const issues = feedback.flatMap((one) => one.issues);
  const names = [...new Set(feedback.map(({ reviewer }) => reviewer))].sort();
  return {
    rounds: round,
    feedback: feedback.length,
    approvals: feedback.filter(({ verdict }) => verdict === 'approve').length,
    changeRequests: feedback.filter(({ verdict }) => verdict === 'request-changes').length,
    issues: issues.length,
    suggestions: sum(feedback.map(({ suggestions }) => suggestions.length)),
    evidence: sum([...issues, ...feedback].map(({ evidence }) => evidence.length)),
    disagreements: disagreements.length,
    challenges: sum(disagreements.map(({ positions }) => positions.length - 1)),
    reviewers: names.map((reviewer) => {
      const own = feedback.filter((one) => one.reviewer === reviewer);
      return { reviewer, feedback: own.length, issues: sum(own.map((one) => one.issues.length)) };
    }),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}
