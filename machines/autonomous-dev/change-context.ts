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

/** What one agent does for one task, in one epoch. */
export interface ChangeInput {
  readonly task: Task;
  readonly agent: string;
  readonly epoch: number;
  readonly repository: Repository;
  /** The commit that its checkout begins with: what was merged when it was claimed. */
  readonly start: string;
  readonly reviewersNeeded: number;
  readonly rounds: number;
  readonly reviewMinutes: number;
  readonly voteSeconds: number;
}

export interface Context extends ChangeInput {
  /** Who reviews and votes, as of the last submission; the author is left out where that matters. */
  readonly agents: readonly string[];
  readonly workspace: Checkout | null;
  readonly submissions: readonly Submission[];
  /** Commits that reviewers were asked about. */
  readonly asked: readonly string[];
  /** How often in a row something was handed in that nobody can review. */
  readonly inVain: number;
  readonly reviews: readonly ReviewOutput[];
  /** How many of the reviews had ended when it was approved last. */
  readonly reviewsBefore: number;
  readonly decisions: readonly Decision[];
  readonly conflicts: number;
  /** What it conflicted with last, and how often in a row that was the same. */
  readonly conflict: { readonly with: string; readonly times: number } | null;
  readonly merge: string | null;
  readonly outcome: ChangeReport['outcome'];
}

/** How often in a row an agent may hand in what nobody can review. */
export const IN_VAIN_MAX = 3;
/** How often it may conflict with the same commit: nothing else was merged in between. */
export const SAME_CONFLICT_MAX = 3;
/** How often its review is begun again when nobody answers. */
export const UNANSWERED_MAX = 3;

const UNANSWERED: readonly ReviewOutput['outcome'][] = ['no-answer', 'no-reviewers'];

export function submissionOf(context: Context): Submission {
  const last = context.submissions.at(-1);
  if (!last) throw new TypeError('nothing was handed in');
  return last;
}

export function lastReview({ reviews }: Context): ReviewOutput {
  const last = reviews.at(-1);
  if (!last) throw new TypeError('nothing was reviewed');
  return last;
}

/** What the last review leaves to a vote. */
export function disputedIn(context: Context): readonly Disagreement[] {
  const { disagreements, withdrawn = [] } = lastReview(context);
  return disagreements.filter(({ issue }) => !withdrawn.includes(issue));
}

/** What was voted on after the last review. */
export function lastDecisions(context: Context): readonly Decision[] {
  const issues = disputedIn(context).map(({ issue }) => issue);
  return context.decisions.filter(({ issue }) => issue !== undefined && issues.includes(issue));
}

export function isUnanswered({ outcome }: ReviewOutput): boolean {
  return UNANSWERED.includes(outcome);
}

/** How many reviews in a row have ended without an answer. */
export function unansweredReviews({ reviews }: Context): number {
  return reviews.length - 1 - reviews.findLastIndex((one) => !isUnanswered(one));
}

/** How many rounds are left until it must be approved, over all of its reviews. */
export function roundsLeft({ rounds, reviews, reviewsBefore }: Context): number {
  const used = reviews
    .slice(reviewsBefore)
    .map((review) => (isUnanswered(review) ? review.rounds - 1 : review.rounds))
    .reduce((all, one) => all + one, 0);
  return rounds - used;
}

export function workspaceOf({ workspace }: Context): Checkout {
  if (!workspace) throw new TypeError('there is no workspace yet');
  return workspace;
}

/** The review of what was handed in. */
export function reviewOf(context: Context): ReviewInput {
  const { task, agent, agents, reviewersNeeded, reviewMinutes: minutes, decisions } = context;
  const { branch, base, directory } = workspaceOf(context);
  // What was voted on must not be left out: it is settled.
  const settled = decisions.map((one) => `\n\n${settledText(one)}`).join('');
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

export function voteId({ issue }: Disagreement): string {
  return `vote-${issue.replaceAll('.', '-')}`;
}

export function voteOf({ agents, agent, voteSeconds }: Context, disagreement: Disagreement): ElectionInput {
  return { ...electionOf(disagreement, [...new Set([agent, ...agents])]), seconds: voteSeconds };
}

/** The disagreement that a vote of this id is on. */
export function disputedBy(context: Context, id: string): Disagreement {
  const found = disputedIn(context).find((one) => voteId(one) === id);
  if (!found) throw new TypeError(`${id} is no vote on what is disputed`);
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
}: Context): ChangeReport {
  const { id: taskId, title } = task;
  return { taskId, title, agent, epoch, outcome, submissions, reviews, decisions, conflicts, merge };
}

export function conflictText(
  { repository }: Context,
  event: { readonly files: readonly string[]; readonly with: string },
): string {
  return [
    `It is approved, but it conflicts with what was merged meanwhile, in ${event.files.join(', ')}.`,
    `Merge what is on ${repository.branch} in your checkout, mend the conflict so that both changes are kept, run the tests, commit, and hand it in again:`,
    '',
    `  git merge ${event.with}`,
  ].join('\n');
}

/** Why what was handed in waits, and for whom. */
export function waitingText(context: Context): string {
  const { agents, agent, reviewMinutes, reviewersNeeded } = context;
  const { gone } = lastReview(context);
  const why = {
    silent: `did not answer within ${reviewMinutes} minutes`,
    declined: 'declined',
    unreachable: 'is not in the room',
  };
  const asked = gone.map((one) => `${one.reviewer} ${why[one.why]}`);
  const others = agents.filter((one) => one !== agent && !gone.some(({ reviewer }) => reviewer === one));
  const left = others.length === 0 ? [] : [`${others.join(', ')} alone cannot approve it, it takes ${reviewersNeeded}`];
  const reasons = [...asked, ...left].join('; ');
  return `${submissionOf(context).commit} of ${agent} waits for a review${reasons === '' ? '' : `: ${reasons}`}`;
}

const REASON_CHARS_MAX = 300;

/** Why no further round of review is begun. */
export function exhaustedText(context: Context): string {
  const { feedback, rounds: last } = lastReview(context);
  const wanted = feedback
    .filter(({ round }) => round === last)
    .flatMap(({ reviewer, issues }) => issues.map(({ description }) => `${reviewer}: ${description}`))
    .join('; ');
  const rounds =
    context.rounds === 1 ? 'the one round of its review is' : `all ${context.rounds} rounds of its review are`;
  const still = wanted === '' ? '' : ` (${cut(wanted, { charsMax: REASON_CHARS_MAX })})`;
  return `${rounds} over and it is not approved${still}`;
}
