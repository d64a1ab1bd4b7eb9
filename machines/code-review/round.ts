import type { Disagreement } from './disagreement.ts';
import type { Feedback, OpenIssue } from './feedback.ts';

/** How a round stands. `disputed`: changes are requested, and each of them is challenged. */
export type Standing = 'waiting' | 'approved' | 'changes-requested' | 'disputed';

interface Round {
  readonly round: number;
  /** Who is asked in it. */
  readonly reviewers: readonly string[];
  readonly feedback: readonly Feedback[];
  readonly disagreements: readonly Disagreement[];
}

/** Counts the verdicts of a round: all who are asked must answer, and one who requests changes is enough for that. */
export function standing({ reviewers, disagreements, ...rest }: Round): Standing {
  const answers = answersOf({ reviewers, ...rest });
  if (answers.length < reviewers.length) return 'waiting';
  const issues = answers.flatMap((one) => one.issues);
  if (answers.every(({ verdict }) => verdict === 'approve')) return 'approved';
  const challenged = new Set(disagreements.map(({ issue }) => issue));
  return issues.every(({ id }) => challenged.has(id)) ? 'disputed' : 'changes-requested';
}

/** What those who are asked have said in this round. */
export function answersOf({ round, reviewers, feedback }: Omit<Round, 'disagreements'>): Feedback[] {
  return feedback.filter((one) => one.round === round && reviewers.includes(one.reviewer));
}

export function issuesOf(round: Omit<Round, 'disagreements'>): OpenIssue[] {
  return answersOf(round).flatMap((feedback) => feedback.issues.map((issue) => ({ issue, feedback })));
}

/** With one more; of each reviewer and round the feedback that was sent last. */
export function withFeedback(before: readonly Feedback[], next: Feedback): readonly Feedback[] {
  const isSame = ({ reviewer, round }: Feedback): boolean => reviewer === next.reviewer && round === next.round;
  const same = before.find((one) => isSame(one));
  if (same && same.messageId >= next.messageId) return before;
  return [...before.filter((one) => !isSame(one)), next].sort(
    (a, b) => a.round - b.round || (a.reviewer < b.reviewer ? -1 : 1),
  );
}
