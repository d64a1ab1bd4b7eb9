import { assign, emit, sendParent, sendTo, setup } from 'xstate';
import { activity } from 'agent-mailroom/workflow';
import { machine as codeReview } from '../code-review.ts';
import type { ChangesRequested, Revised } from '../code-review/events.ts';
import type { ReviewOutput } from '../code-review/progress.ts';
import { machine as consensus } from '../consensus.ts';
import type { ElectionInput } from '../consensus/election.ts';
import { electionOf } from '../code-review/vote.ts';
import type { ReviewInput } from '../code-review/review.ts';
import type { Task } from '../work-distributor/plan.ts';
import { decisionOf, decisionText, type Decision } from './decision.ts';
import { progress, type Progress } from './progress.ts';
import { faultOfCommit, openWorkspace, type Checkout, type Repository } from './repository.ts';

/** What one agent does for one task, in one epoch. */
export interface ChangeInput {
  readonly task: Task;
  readonly agent: string;
  readonly epoch: number;
  readonly repository: Repository;
  readonly reviewersNeeded: number;
  readonly rounds: number;
  readonly reviewMinutes: number;
  readonly voteSeconds: number;
}

/** A commit that was handed in. */
export interface Submission {
  readonly commit: string;
  readonly summary: string;
  readonly messageId: string;
}

/** What the loop tells it. */
export type ToChange =
  | ({ readonly type: 'SUBMITTED' } & {
      readonly commit: string | null;
      readonly summary: string;
      readonly messageId: string;
      /** Who may review it now, in this order. */
      readonly agents: readonly string[];
    })
  | { readonly type: 'MERGED'; readonly commit: string }
  | { readonly type: 'CONFLICT'; readonly files: readonly string[]; readonly with: string }
  /** The agent has the task no more. */
  | { readonly type: 'RELEASED'; readonly reason: string };

/** What it tells the loop, always with its task and epoch. */
export type FromChange = { readonly taskId: string; readonly epoch: number } & (
  | { readonly type: 'READY'; readonly workspace: Checkout }
  | { readonly type: 'GO-ON'; readonly feedback: string }
  | { readonly type: 'APPROVED'; readonly commit: string; readonly title: string; readonly agent: string }
  /** It cannot be finished this way: somebody else may try. */
  | { readonly type: 'STUCK'; readonly reason: string }
  /** Its last word. */
  | { readonly type: 'CHANGE-ENDED'; readonly report: ChangeReport }
);

/** What is left of a change for the report. */
export interface ChangeReport {
  readonly taskId: string;
  readonly title: string;
  readonly agent: string;
  readonly epoch: number;
  readonly outcome: 'merged' | 'released' | 'stuck';
  readonly submissions: readonly Submission[];
  readonly reviews: readonly ReviewOutput[];
  readonly decisions: readonly Decision[];
  readonly conflicts: number;
  /** The merge. */
  readonly merge: string | null;
}

interface Context extends ChangeInput {
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

type Event = ToChange | ChangesRequested;

function from<TEvent extends object>(
  { task, epoch }: Context,
  event: TEvent,
): TEvent & { readonly taskId: string; readonly epoch: number } {
  return { ...event, taskId: task.id, epoch };
}

function submissionOf(context: Context): Submission {
  const last = context.submissions.at(-1);
  if (!last) throw new TypeError('nothing was handed in');
  return last;
}

function lastDecision({ decisions }: Context): Decision {
  const last = decisions.at(-1);
  if (!last) throw new TypeError('nothing was decided');
  return last;
}

function workspaceOf({ workspace }: Context): Checkout {
  if (!workspace) throw new TypeError('there is no workspace yet');
  return workspace;
}

function reviewOf(context: Context): ReviewInput {
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
function voteOf(context: Context): ElectionInput {
  const disagreement = context.reviews.at(-1)?.disagreements.at(-1);
  if (!disagreement) throw new TypeError('nothing is disputed');
  const { agents, agent, voteSeconds } = context;
  return { ...electionOf(disagreement, [...new Set([agent, ...agents])]), seconds: voteSeconds };
}

const change = setup({
  types: {
    context: {} as Context,
    events: {} as Event,
    input: {} as ChangeInput,
    output: {} as ChangeReport,
    emitted: {} as Progress,
  },
  actors: {
    prepare: activity(({ repository, name }: { repository: Repository; name: string }, { signal }) =>
      openWorkspace(repository, name, signal),
    ),
    /** The fault of the commit, or null. */
    check: activity(
      async ({ repository, commit, base }: { repository: Repository; commit: string; base: string }, { signal }) =>
        (await faultOfCommit(repository, { commit, base }, signal)) ?? null,
    ),
    review: codeReview,
    vote: consensus,
  },
  guards: {
    hasCommit: ({ event }) => event.type === 'SUBMITTED' && event.commit !== null,
    mustChange: ({ context }) => lastDecision(context).mustChange,
  },
  actions: {
    take: assign(({ context, event }) => {
      if (event.type !== 'SUBMITTED' || event.commit === null) return {};
      const { commit, summary, messageId, agents } = event;
      return { agents, submissions: [...context.submissions, { commit, summary, messageId }] };
    }),
    tellHandedIn: emit(({ context }) => {
      const { commit, summary, messageId } = submissionOf(context);
      return progress({ type: 'handed-in', taskId: context.task.id, agent: context.agent, commit, summary, messageId });
    }),
    report: sendParent(({ context }) => from(context, { type: 'CHANGE-ENDED', report: reportOf(context) })),
    askForCommit: sendParent(({ context }) =>
      from(context, {
        type: 'GO-ON',
        feedback: 'Please say which commit it is: --data \'{"commit":"…"}\' with the full id, as in the command below.',
      }),
    ),
  },
});

/**
 * One claim of a task until its commit is merged: a checkout of its own, the work of the agent, its review in rounds, a vote
 * where they disagree, and once more from the work on where the merge conflicts.
 */
export const machine = change.createMachine({
  id: 'change',
  context: ({ input }) => ({
    ...input,
    agents: [],
    workspace: null,
    submissions: [],
    reviews: [],
    decisions: [],
    conflicts: 0,
    merge: null,
    outcome: 'released',
  }),
  initial: 'preparing',
  on: { RELEASED: '.released' },
  states: {
    preparing: {
      invoke: {
        src: 'prepare',
        input: ({ context: { repository, task, epoch } }) => ({ repository, name: `${task.id}-${epoch}` }),
        onDone: {
          target: 'working',
          actions: [
            assign({ workspace: ({ event }) => event.output }),
            sendParent(({ context, event }) => from(context, { type: 'READY', workspace: event.output })),
          ],
        },
        onError: {
          target: 'stuck',
          actions: sendParent(({ context, event }) => from(context, { type: 'STUCK', reason: String(event.error) })),
        },
      },
    },
    working: {
      on: {
        SUBMITTED: [
          { guard: 'hasCommit', target: 'checking', actions: ['take', 'tellHandedIn'] },
          { actions: 'askForCommit' },
        ],
      },
    },
    checking: {
      invoke: {
        src: 'check',
        input: ({ context }) => ({
          repository: context.repository,
          commit: submissionOf(context).commit,
          base: workspaceOf(context).base,
        }),
        onDone: [
          {
            guard: ({ event }) => event.output !== null,
            target: 'working',
            actions: sendParent(({ context, event }) =>
              from(context, { type: 'GO-ON', feedback: `It cannot be reviewed: ${event.output ?? ''}.` }),
            ),
          },
          { target: 'reviewing' },
        ],
      },
    },
    reviewing: {
      initial: 'waiting',
      invoke: {
        id: 'review',
        src: 'review',
        input: ({ context }) => reviewOf(context),
        onDone: {
          target: 'judging',
          actions: [
            assign({ reviews: ({ context, event }) => [...context.reviews, event.output] }),
            emit(({ context, event }) => ({ type: 'reviewed', taskId: context.task.id, review: event.output })),
          ],
        },
        onError: {
          target: 'stuck',
          actions: sendParent(({ context, event }) => from(context, { type: 'STUCK', reason: String(event.error) })),
        },
      },
      states: {
        waiting: {
          on: {
            'CHANGES-REQUESTED': {
              target: 'revising',
              actions: [
                emit(({ context, event }) => ({
                  type: 'changes-requested',
                  taskId: context.task.id,
                  agent: context.agent,
                  commit: submissionOf(context).commit,
                  round: event.round,
                  issues: event.issues,
                })),
                sendParent(({ context, event }) => from(context, { type: 'GO-ON', feedback: event.feedback })),
              ],
            },
          },
        },
        revising: {
          on: {
            SUBMITTED: [
              {
                guard: 'hasCommit',
                target: 'waiting',
                actions: [
                  'take',
                  'tellHandedIn',
                  sendTo('review', ({ context }): Revised => ({
                    type: 'REVISED',
                    commit: submissionOf(context).commit,
                    note: submissionOf(context).summary,
                  })),
                ],
              },
              { actions: 'askForCommit' },
            ],
          },
        },
      },
    },
    judging: {
      always: [
        {
          guard: ({ context }) => context.reviews.at(-1)?.outcome === 'approved',
          target: 'approved',
        },
        {
          guard: ({ context }) => context.reviews.at(-1)?.outcome === 'disagreement',
          target: 'voting',
        },
        {
          target: 'stuck',
          actions: sendParent(({ context }) =>
            from(context, {
              type: 'STUCK',
              reason: `its review ended: ${context.reviews.at(-1)?.outcome ?? 'unknown'}`,
            }),
          ),
        },
      ],
    },
    voting: {
      entry: emit(({ context }) => ({
        type: 'disputed',
        taskId: context.task.id,
        disagreements: context.reviews.at(-1)?.disagreements ?? [],
      })),
      invoke: {
        src: 'vote',
        input: ({ context }) => voteOf(context),
        onDone: {
          target: 'decided',
          actions: [
            assign({
              decisions: ({ context, event }) => [...context.decisions, decisionOf(context.task.id, event.output)],
            }),
            emit(({ context, event }) => ({
              type: 'decided',
              decision: decisionOf(context.task.id, event.output),
            })),
          ],
        },
        onError: {
          target: 'stuck',
          actions: sendParent(({ context, event }) => from(context, { type: 'STUCK', reason: String(event.error) })),
        },
      },
    },
    decided: {
      always: [
        {
          guard: 'mustChange',
          target: 'working',
          actions: sendParent(({ context }) =>
            from(context, { type: 'GO-ON', feedback: decisionText(lastDecision(context)) }),
          ),
        },
        { target: 'approved' },
      ],
    },
    approved: {
      entry: sendParent(({ context }) =>
        from(context, {
          type: 'APPROVED',
          commit: submissionOf(context).commit,
          title: context.task.title,
          agent: context.agent,
        }),
      ),
      on: {
        MERGED: { target: 'merged', actions: assign({ merge: ({ event }) => event.commit }) },
        CONFLICT: {
          target: 'working',
          actions: [
            assign({ conflicts: ({ context }) => context.conflicts + 1 }),
            sendParent(({ context, event }) =>
              from(context, { type: 'GO-ON', feedback: conflictText(context, event) }),
            ),
          ],
        },
      },
    },
    merged: { type: 'final', entry: [assign({ outcome: 'merged' }), 'report'] },
    released: { type: 'final', entry: [assign({ outcome: 'released' }), 'report'] },
    stuck: { type: 'final', entry: [assign({ outcome: 'stuck' }), 'report'] },
  },
  output: ({ context }) => reportOf(context),
});

function reportOf({
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

function conflictText(
  { repository }: Context,
  event: { readonly files: readonly string[]; readonly with: string },
): string {
  return [
    `It is approved, but it conflicts with what was merged meanwhile, in ${event.files.join(', ')}.`,
    'Merge the branch in your checkout, mend the conflict so that both changes are kept, run the tests, commit, and hand it in again:',
    '',
    `  git merge ${repository.branch}`,
  ].join('\n');
}
