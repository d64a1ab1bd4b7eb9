import type { Undelivered } from '../shared/undelivered.ts';
import type { Outcome } from './conclusion-text.ts';
import type { Disagreement } from './disagreement.ts';
import type { Feedback } from './feedback.ts';
import type { Place } from './request-text.ts';
import { parseReview, type Change, type Review } from './review.ts';
import type { Revision } from './revision.ts';
import { answersOf, openDisagreements } from './round.ts';
import { statisticsOf, type Statistics } from './statistics.ts';

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
