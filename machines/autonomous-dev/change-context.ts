import { cut } from 'agent-mailroom/workflow';
import type { Disagreement } from '../code-review/disagreement.ts';
import type { ReviewOutput } from '../code-review/progress.ts';
import { DESCRIPTION_CHARS_MAX, type ReviewInput } from '../code-review/review.ts';
import { electionOf } from '../code-review/vote.ts';
import type { ElectionInput } from '../consensus/election.ts';
import type { Task } from '../work-distributor/plan.ts';
import type { ChangeReport, Submission } from './change-events.ts';
import { settledText, type Decision } from './decision.ts';
import type { Checkout, Repository } from './repository.ts';

/** The input of a change: the work of one agent on one task, in one epoch. */
export interface ChangeInput {
  readonly task: Task;
  readonly agent: string;
  readonly epoch: number;
  readonly repository: Repository;
  /** The commit that its checkout starts from: the merged state at the time of the claim. */
  readonly start: string;
  readonly reviewersNeeded: number;
  readonly rounds: number;
  readonly reviewMinutes: number;
  readonly voteSeconds: number;
}

export interface ChangeContext extends ChangeInput {
  /** Who may review and vote, as of the last submission. May contain the author, who is skipped where it matters. */
  readonly agents: readonly string[];
  readonly workspace: Checkout | null;
  readonly submissions: readonly Submission[];
  /** Commits that reviewers were asked about. */
  readonly asked: readonly string[];
  /** Consecutive submissions that nobody can review. */
  readonly inVain: number;
  readonly reviews: readonly ReviewOutput[];
  /** How many reviews had ended at the last approval. */
  readonly reviewsBefore: number;
  readonly decisions: readonly Decision[];
  readonly conflicts: number;
  /** The commit of the last conflict, and how many times in a row it was that one. */
  readonly conflict: { readonly with: string; readonly times: number } | null;
  readonly merge: string | null;
  readonly outcome: ChangeReport['outcome'];
}

/** How many submissions in a row may be impossible to review. */
export const IN_VAIN_MAX = 3;
/** How often its merge may conflict with the same commit, that is with nothing else merged in between. */
export const SAME_CONFLICT_MAX = 3;
/** How many reviews in a row may go unanswered. */
export const UNANSWERED_MAX = 3;

const UNANSWERED: readonly ReviewOutput['outcome'][] = ['no-answer', 'no-reviewers'];

export function submissionOf(context: ChangeContext): Submission {
  const last = context.submissions.at(-1);
  if (!last) throw new TypeError('nothing was handed in');
  return last;
}

export function lastReview({ reviews }: ChangeContext): ReviewOutput {
  const last = reviews.at(-1);
  if (!last) throw new TypeError('nothing was reviewed');
  return last;
}

/** The disagreements that the last review leaves to a vote. */
export function disputedIn(context: ChangeContext): readonly Disagreement[] {
  const { disagreements, withdrawn = [] } = lastReview(context);
  return disagreements.filter(({ issue }) => !withdrawn.includes(issue));
}

/** The decisions of the votes after the last review. */
export function lastDecisions(context: ChangeContext): readonly Decision[] {
  const issues = disputedIn(context).map(({ issue }) => issue);
  return context.decisions.filter(({ issue }) => issue !== undefined && issues.includes(issue));
}

export function isUnanswered({ outcome }: ReviewOutput): boolean {
  return UNANSWERED.includes(outcome);
}

/** How many reviews in a row have ended without an answer. */
export function unansweredReviews({ reviews }: ChangeContext): number {
  return reviews.length - 1 - reviews.findLastIndex((one) => !isUnanswered(one));
}

/** How many review rounds are left, counted over all reviews since the last approval. */
export function roundsLeft({ rounds, reviews, reviewsBefore }: ChangeContext): number {
  const used = reviews
    .slice(reviewsBefore)
    .map((review) => (isUnanswered(review) ? review.rounds - 1 : review.rounds))
    .reduce((all, one) => all + one, 0);
  return rounds - used;
}

export function workspaceOf({ workspace }: ChangeContext): Checkout {
  if (!workspace) throw new TypeError('there is no workspace yet');
  return workspace;
}

/** The input of the review of the last submission. */
export function reviewOf(context: ChangeContext): ReviewInput {
  const { task, agent, agents, reviewersNeeded, reviewMinutes: minutes, decisions } = context;
  const { branch, base, directory } = workspaceOf(context);
  // Neither this nor decided issues are ever cut off.
  const settled = `${outsideText(submissionOf(context))}${decisions.map((one) => `\n\n${settledText(one)}`).join('')}`;
  const decided = cut(settled, { charsMax: DESCRIPTION_CHARS_MAX - 1, keep: 'end' });
  return {
    change: {
      title: task.title,
      author: agent,
      description: `${cut(task.description, { charsMax: DESCRIPTION_CHARS_MAX - decided.length })}${decided}`,
      branch,
      base,
      directory,
      commit: submissionOf(context).commit,
      files: [...task.files],
      skills: [...task.skills],
    },
    reviewers: [...agents],
    reviewersNeeded,
    rounds: roundsLeft(context),
    minutes,
  };
}

const OUTSIDE_SHOWN_MAX = 20;

/** For the reviewers, a paragraph of its own: what was changed besides the files that the task names. */
export function outsideText({ outside = [] }: Submission): string {
  if (outside.length === 0) return '';
  const more = outside.length > OUTSIDE_SHOWN_MAX ? ` and ${outside.length - OUTSIDE_SHOWN_MAX} more` : '';
  return `\n\nChanged although the task does not name them: ${outside.slice(0, OUTSIDE_SHOWN_MAX).join(', ')}${more}.`;
}

export function voteId({ issue }: Disagreement): string {
  return `vote-${issue.replaceAll('.', '-')}`;
}

export function voteOf({ agents, agent, voteSeconds }: ChangeContext, disagreement: Disagreement): ElectionInput {
  return { ...electionOf(disagreement, [...new Set([agent, ...agents])]), seconds: voteSeconds };
}

/** The disagreement that the vote with this id decides. */
export function disputedBy(context: ChangeContext, id: string): Disagreement {
  const found = disputedIn(context).find((one) => voteId(one) === id);
  if (!found) throw new TypeError(`${id} is no vote on an open disagreement`);
  return found;
}

export function reportOf({
  task,
  agent,
  epoch,
  outcome,
  submissions,
  reviews,
  decisions,
  conflicts,
  merge,
}: ChangeContext): ChangeReport {
  const { id: taskId, title } = task;
  return { taskId, title, agent, epoch, outcome, submissions, reviews, decisions, conflicts, merge };
}

export function conflictText(
  { repository }: ChangeContext,
  event: { readonly files: readonly string[]; readonly with: string },
): string {
  return [
    `Your change is approved, but it conflicts with changes merged meanwhile, in ${event.files.join(', ')}.`,
    `Merge ${repository.branch} into your checkout, resolve the conflict so that both changes are kept, run the tests, commit, and hand in again:`,
    '',
    `  git merge ${event.with}`,
  ].join('\n');
}

/** Why a submission waits, and for whom. */
export function waitingText(context: ChangeContext): string {
  const { agents, agent, reviewMinutes, reviewersNeeded } = context;
  const { gone } = lastReview(context);
  const why = {
    silent: `did not answer within ${reviewMinutes} minutes`,
    declined: 'declined',
    unreachable: 'is not in the room',
  };
  const asked = gone.map((one) => `${one.reviewer} ${why[one.why]}`);
  const others = agents.filter((one) => one !== agent && !gone.some(({ reviewer }) => reviewer === one));
  const left = others.length === 0 ? [] : [`${others.join(', ')} alone cannot approve it: ${reviewersNeeded} must`];
  const reasons = [...asked, ...left].join('; ');
  return `${submissionOf(context).commit} of ${agent} waits for a review${reasons === '' ? '' : `: ${reasons}`}`;
}

const REASON_CHARS_MAX = 300;

/** Why no further review round starts. */
export function exhaustedText(context: ChangeContext): string {
  const { feedback, rounds: last } = lastReview(context);
  const wanted = feedback
    .filter(({ round }) => round === last)
    .flatMap(({ reviewer, issues }) => issues.map(({ description }) => `${reviewer}: ${description}`))
    .join('; ');
  const rounds = context.rounds === 1 ? 'its only review round is' : `all ${context.rounds} rounds of its review are`;
  const still = wanted === '' ? '' : ` (${cut(wanted, { charsMax: REASON_CHARS_MAX })})`;
  return `${rounds} over and it is not approved${still}`;
}
