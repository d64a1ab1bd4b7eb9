import type { Disagreement } from './disagreement.ts';
import type { Feedback, OpenIssue } from './feedback.ts';

/** How a round stands. `disputed`: nothing keeps it from approval but issues that are challenged. */
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
  if (answers.every(({ verdict }) => verdict === 'approve')) {
    return openDisagreements({ disagreements, ...rest }).length === 0 ? 'approved' : 'disputed';
  }
  const challenged = new Set(disagreements.map(({ issue }) => issue));
  return issues.every(({ id }) => challenged.has(id)) ? 'disputed' : 'changes-requested';
}

/**
 * The disagreements that take a vote: those on an issue that is in the last feedback of its reviewer. The others are
 * settled, because the reviewer has looked again and no longer asks for it.
 */
export function openDisagreements({
  feedback,
  disagreements,
}: Pick<Round, 'feedback' | 'disagreements'>): readonly Disagreement[] {
  const isLast = ({ reviewer, round }: Feedback): boolean =>
    !feedback.some((other) => other.reviewer === reviewer && other.round > round);
  const wanted = new Set(feedback.filter((one) => isLast(one)).flatMap(({ issues }) => issues.map(({ id }) => id)));
  return disagreements.filter(({ issue }) => wanted.has(issue));
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
