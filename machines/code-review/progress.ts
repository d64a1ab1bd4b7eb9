import type { Undelivered } from '../shared/text.ts';
import type { Disagreement } from './disagreement.ts';
import type { Feedback, OpenIssue } from './feedback.ts';
import { type Change, parseReview, type Review } from './review.ts';
import type { Revision } from './revision.ts';
import type { Outcome, Place } from './text.ts';

/** Why a reviewer is no longer asked. */
export interface Gone {
  readonly reviewer: string;
  readonly why: 'unreachable' | 'silent' | 'declined';
}

/** How far a review is. */
export interface Progress {
  readonly review: Review;
  /** As it is now: with the commit of the last revision. */
  readonly change: Change;
  /** The workflow's own: what answers are sent to. */
  readonly address: string;
  /** Whether somebody leads the author, and says when it is revised. */
  readonly isChild: boolean;
  /** From 1 on. */
  readonly round: number;
  readonly reviewers: readonly string[];
  /** Who has been asked in this round. */
  readonly asked: readonly string[];
  readonly gone: readonly Gone[];
  readonly feedback: readonly Feedback[];
  readonly disagreements: readonly Disagreement[];
  /** What the author has said of the last revision. */
  readonly note: string;
  readonly outcome: Outcome;
  readonly undelivered: readonly Undelivered[];
}

/** What a review ends with. */
export interface ReviewOutput {
  readonly outcome: Outcome;
  readonly change: Change;
  readonly rounds: number;
  /** Who was asked last. */
  readonly reviewers: readonly string[];
  /** Of all rounds. */
  readonly feedback: readonly Feedback[];
  readonly disagreements: readonly Disagreement[];
  /** Issues that were challenged and that their reviewer no longer asks for: they take no vote. */
  readonly withdrawn?: readonly string[];
  readonly statistics: Statistics;
  readonly gone: readonly Gone[];
  readonly undelivered: readonly Undelivered[];
}

/** Throws a TypeError that says on one line what is wrong with the input. */
export function begin(input: unknown, { address, isChild }: Pick<Progress, 'address' | 'isChild'>): Progress {
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

/** Up to as many as are needed, from who has not been asked yet. */
export function filled({ review, reviewers, gone }: Progress): Pick<Progress, 'reviewers'> {
  const free = review.queue.filter((one) => !reviewers.includes(one) && !gone.some(({ reviewer }) => reviewer === one));
  return { reviewers: [...reviewers, ...free].slice(0, review.reviewersNeeded) };
}

/** Who is to be asked in this round, and has not been. */
export function toAsk({ reviewers, asked }: Progress): string[] {
  return reviewers.filter((one) => !asked.includes(one));
}

/** Who has been asked in this round and has not answered. */
export function waitedFor(progress: Progress): string[] {
  const answered = answersOf(progress).map(({ reviewer }) => reviewer);
  return progress.reviewers.filter((one) => !answered.includes(one));
}

/** Without somebody who is no longer asked. */
export function without(
  { reviewers, gone }: Progress,
  names: readonly string[],
  why: Gone['why'],
): Pick<Progress, 'reviewers' | 'gone'> {
  const leaving = reviewers.filter((one) => names.includes(one));
  return {
    reviewers: reviewers.filter((one) => !leaving.includes(one)),
    gone: [...gone, ...leaving.map((reviewer) => ({ reviewer, why }))],
  };
}

/** Who may vote on a disagreement: all who could be asked, and the author. */
export function electorateOf({ change, review, gone }: Progress): string[] {
  const lost = gone.filter(({ why }) => why === 'unreachable').map(({ reviewer }) => reviewer);
  return [change.author, ...review.queue.filter((one) => !lost.includes(one))];
}

/** The next round, of what the author has revised. */
export function revised({ change, round }: Progress, { commit, note }: Revision): Partial<Progress> {
  return { change: commit === undefined ? change : { ...change, commit }, note, round: round + 1, asked: [] };
}

export function placeOf({ review, change, address, round }: Progress): Place {
  return { review, change, address, round };
}

export function outputOf(context: Progress): ReviewOutput {
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
