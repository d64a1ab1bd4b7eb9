import type { ReviewOutput } from '../code-review/progress.ts';
import type { ReviewInput } from '../code-review/review.ts';
import { electionOf } from '../code-review/vote.ts';
import type { ElectionInput } from '../consensus/election.ts';
import type { Task } from '../work-distributor/plan.ts';
import type { ChangeReport, Submission } from './change-events.ts';
import { decisionText, type Decision } from './decision.ts';
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
  readonly reviews: readonly ReviewOutput[];
  readonly decisions: readonly Decision[];
  readonly conflicts: number;
  readonly merge: string | null;
  readonly outcome: ChangeReport['outcome'];
}

export function submissionOf(context: Context): Submission {
  const last = context.submissions.at(-1);
  if (!last) throw new TypeError('nothing was handed in');
  return last;
}

export function lastDecision({ decisions }: Context): Decision {
  const last = decisions.at(-1);
  if (!last) throw new TypeError('nothing was decided');
  return last;
}

export function workspaceOf({ workspace }: Context): Checkout {
  if (!workspace) throw new TypeError('there is no workspace yet');
  return workspace;
}

/** The review of what was handed in. */
export function reviewOf(context: Context): ReviewInput {
  const { task, agent, agents, reviewersNeeded, rounds, reviewMinutes: minutes, decisions } = context;
  const { branch, base, directory } = workspaceOf(context);
  const decided = decisions.map((one) => decisionText(one));
  return {
    change: {
      title: task.title,
      author: agent,
      description: [task.description, ...decided].join('\n\n'),
      branch,
      base,
      directory,
      commit: submissionOf(context).commit,
      files: [...task.files],
      skills: [...task.skills],
    },
    reviewers: [...agents],
    reviewersNeeded,
    rounds,
    minutes,
  };
}

/** The vote on the last thing that was disputed. */
export function voteOf(context: Context): ElectionInput {
  const disagreement = context.reviews.at(-1)?.disagreements.at(-1);
  if (!disagreement) throw new TypeError('nothing is disputed');
  const { agents, agent, voteSeconds } = context;
  return { ...electionOf(disagreement, [...new Set([agent, ...agents])]), seconds: voteSeconds };
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
