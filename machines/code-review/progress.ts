import type { Undelivered } from '../shared/text.ts';
import type { Disagreement } from './disagreement.ts';
import type { Feedback, OpenIssue } from './feedback.ts';
import { type Change, parseReview, type Review } from './review.ts';
import type { Revision } from './revision.ts';
import type { ReviewOutcome, TextSubject } from './text.ts';

/** Why a reviewer is no longer asked. */
export interface Gone {
  readonly reviewer: string;
  readonly why: 'unreachable' | 'silent' | 'declined';
}

/** The state of a review. */
export interface ReviewProgress {
  readonly review: Review;
  /** The current change: with the commit of the last revision. */
  readonly change: Change;
  /** The workflow's own address, which answers are sent to. */
  readonly address: string;
  /** Whether a parent speaks for the author and announces revisions. */
  readonly isChild: boolean;
  /** Counted from 1. */
  readonly round: number;
  readonly reviewers: readonly string[];
  /** The reviewers asked in this round. */
  readonly asked: readonly string[];
  readonly gone: readonly Gone[];
  readonly feedback: readonly Feedback[];
  readonly disagreements: readonly Disagreement[];
  /** The author's note on the last revision. */
  readonly note: string;
  readonly outcome: ReviewOutcome;
  readonly undelivered: readonly Undelivered[];
}

/** The output of a review. */
export interface ReviewOutput {
  readonly outcome: ReviewOutcome;
  readonly change: Change;
  readonly rounds: number;
  /** The reviewers of the last round. */
  readonly reviewers: readonly string[];
  /** The feedback of all rounds. */
  readonly feedback: readonly Feedback[];
  readonly disagreements: readonly Disagreement[];
  /** Challenged issues that their reviewer no longer asks for; they need no vote. */
  readonly withdrawn?: readonly string[];
  readonly statistics: Statistics;
  readonly gone: readonly Gone[];
  readonly undelivered: readonly Undelivered[];
}

/** The state at the start. Throws a TypeError that lists all faults of the input on one line. */
export function beginReview(
  input: unknown,
  { address, isChild }: Pick<ReviewProgress, 'address' | 'isChild'>,
): ReviewProgress {
  const review = parseReview(input);
  return {
    review,
    change: review.change,
    address,
    isChild,
    round: 1,
    reviewers: [],
    asked: [],
    gone: [],
    feedback: [],
    disagreements: [],
    note: '',
    outcome: 'no-answer',
    undelivered: [],
  };
}

/** Fills up the reviewers to the number needed, from those in the queue who have not been asked yet. */
export function withReviewers({ review, reviewers, gone }: ReviewProgress): Pick<ReviewProgress, 'reviewers'> {
  const free = review.queue.filter((one) => !reviewers.includes(one) && !gone.some(({ reviewer }) => reviewer === one));
  return { reviewers: [...reviewers, ...free].slice(0, review.reviewersNeeded) };
}

/** The reviewers of this round who have not been asked yet. */
export function toAsk({ reviewers, asked }: ReviewProgress): string[] {
  return reviewers.filter((one) => !asked.includes(one));
}

/** The reviewers who have not answered in this round. */
export function waitedFor(progress: ReviewProgress): string[] {
  const answered = answersOf(progress).map(({ reviewer }) => reviewer);
  return progress.reviewers.filter((one) => !answered.includes(one));
}

/** Removes reviewers, who are not asked again. */
export function withoutReviewers(
  { reviewers, gone }: ReviewProgress,
  names: readonly string[],
  why: Gone['why'],
): Pick<ReviewProgress, 'reviewers' | 'gone'> {
  const leaving = reviewers.filter((one) => names.includes(one));
  return {
    reviewers: reviewers.filter((one) => !leaving.includes(one)),
    gone: [...gone, ...leaving.map((reviewer) => ({ reviewer, why }))],
  };
}

/** Who may vote on a disagreement: the author and all reviewers who can be reached. */
export function electorateOf({ change, review, gone }: ReviewProgress): string[] {
  const lost = gone.filter(({ why }) => why === 'unreachable').map(({ reviewer }) => reviewer);
  return [change.author, ...review.queue.filter((one) => !lost.includes(one))];
}

/** The next round, for the revised change. */
export function revised({ change, round }: ReviewProgress, { commit, note }: Revision): Partial<ReviewProgress> {
  return { change: commit === undefined ? change : { ...change, commit }, note, round: round + 1, asked: [] };
}

export function subjectOf({ review, change, address, round }: ReviewProgress): TextSubject {
  return { review, change, address, round };
}

export function outputOf(context: ReviewProgress): ReviewOutput {
  const { outcome, change, round, reviewers, feedback, disagreements, gone, undelivered: lost } = context;
  const statistics = statisticsOf(context);
  const open = openDisagreements(context);
  const withdrawn = disagreements.filter((one) => !open.includes(one)).map(({ issue }) => issue);
  return {
    outcome,
    change,
    rounds: round,
    reviewers,
    feedback,
    disagreements,
    ...(withdrawn.length === 0 ? {} : { withdrawn }),
    statistics,
    gone,
    undelivered: lost,
  };
}

export interface Statistics {
  /** Number of rounds. */
  readonly rounds: number;
  readonly feedback: number;
  readonly approvals: number;
  readonly changeRequests: number;
  readonly issues: number;
  readonly suggestions: number;
  /** Number of items, of issues and of feedback. */
  readonly evidence: number;
  readonly disagreements: number;
  /** Positions against an issue. */
  readonly challenges: number;
  /** Those who answered, sorted by address. */
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

/** The standing of a round. `disputed`: only challenged issues keep the change from approval. */
export type RoundStanding = 'waiting' | 'approved' | 'changes-requested' | 'disputed';

interface ReviewRound {
  readonly round: number;
  /** The reviewers asked in it. */
  readonly reviewers: readonly string[];
  readonly feedback: readonly Feedback[];
  readonly disagreements: readonly Disagreement[];
}

/** Counts the verdicts of a round: all reviewers must answer, and one request for changes outweighs approvals. */
export function standing({ reviewers, disagreements, ...rest }: ReviewRound): RoundStanding {
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
 * The disagreements that need a vote: those on an issue in the last feedback of its reviewer. The others are settled, because
 * the reviewer has looked again and no longer asks for the change.
 */
export function openDisagreements({
  feedback,
  disagreements,
}: Pick<ReviewRound, 'feedback' | 'disagreements'>): readonly Disagreement[] {
  const isLast = ({ reviewer, round }: Feedback): boolean =>
    !feedback.some((other) => other.reviewer === reviewer && other.round > round);
  const wanted = new Set(feedback.filter((one) => isLast(one)).flatMap(({ issues }) => issues.map(({ id }) => id)));
  return disagreements.filter(({ issue }) => wanted.has(issue));
}

/** The feedback of the current reviewers in this round. */
export function answersOf({ round, reviewers, feedback }: Omit<ReviewRound, 'disagreements'>): Feedback[] {
  return feedback.filter((one) => one.round === round && reviewers.includes(one.reviewer));
}

export function issuesOf(round: Omit<ReviewRound, 'disagreements'>): OpenIssue[] {
  return answersOf(round).flatMap((feedback) => feedback.issues.map((issue) => ({ issue, feedback })));
}

/** Adds feedback; of each reviewer and round the last one sent is kept. */
export function withFeedback(before: readonly Feedback[], next: Feedback): readonly Feedback[] {
  const isSame = ({ reviewer, round }: Feedback): boolean => reviewer === next.reviewer && round === next.round;
  const same = before.find((one) => isSame(one));
  if (same && same.messageId >= next.messageId) return before;
  return [...before.filter((one) => !isSame(one)), next].sort(
    (a, b) => a.round - b.round || (a.reviewer < b.reviewer ? -1 : 1),
  );
}
