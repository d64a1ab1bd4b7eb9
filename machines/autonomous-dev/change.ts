import { assign, emit, sendParent, sendTo, setup } from 'xstate';
import { activity } from 'agent-mailroom/workflow';
import { machine as codeReview } from '../code-review.ts';
import type { Revised } from '../code-review/events.ts';
import { machine as consensus } from '../consensus.ts';
import { faultText } from '../shared/fault-text.ts';
import {
  conflictText,
  lastDecision,
  reportOf,
  reviewOf,
  submissionOf,
  voteOf,
  workspaceOf,
  type ChangeInput,
  type Context,
} from './change-context.ts';
import type { ChangeReport, Event, FromChange, WordOfChange } from './change-events.ts';
import { decisionOf, decisionText } from './decision.ts';
import { progress, type Progress } from './progress.ts';
import { faultOfCommit, openWorkspace, type Repository } from './repository.ts';

function toLoop({ task, epoch }: Context, word: WordOfChange): FromChange {
  return { ...word, taskId: task.id, epoch };
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
    /** It crossed the disagreement on its way. */
    hasUnreviewed: ({ context }) => submissionOf(context).commit !== context.reviews.at(-1)?.change.commit,
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
    report: sendParent(({ context }) => toLoop(context, { type: 'CHANGE-ENDED', report: reportOf(context) })),
    giveUp: sendParent(({ context }, { reason }: { readonly reason: string }) =>
      toLoop(context, { type: 'STUCK', reason }),
    ),
    askForCommit: sendParent(({ context }) =>
      toLoop(context, {
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
            sendParent(({ context, event }) => toLoop(context, { type: 'READY', workspace: event.output })),
          ],
        },
        onError: {
          target: 'stuck',
          actions: { type: 'giveUp', params: ({ event }) => ({ reason: faultText(event.error) }) },
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
              toLoop(context, { type: 'GO-ON', feedback: `It cannot be reviewed: ${event.output ?? ''}.` }),
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
          actions: { type: 'giveUp', params: ({ event }) => ({ reason: faultText(event.error) }) },
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
                sendParent(({ context, event }) => toLoop(context, { type: 'GO-ON', feedback: event.feedback })),
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
          actions: {
            type: 'giveUp',
            params: ({ context }) => ({ reason: `its review ended: ${context.reviews.at(-1)?.outcome ?? 'unknown'}` }),
          },
        },
      ],
    },
    voting: {
      entry: [
        emit(({ context }) => ({
          type: 'disputed',
          taskId: context.task.id,
          disagreements: context.reviews.at(-1)?.disagreements ?? [],
        })),
        sendParent(({ context }) => toLoop(context, { type: 'PUT-TO-THE-VOTE' })),
      ],
      on: {
        SUBMITTED: [{ guard: 'hasCommit', actions: ['take', 'tellHandedIn'] }, { actions: 'askForCommit' }],
      },
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
          actions: { type: 'giveUp', params: ({ event }) => ({ reason: faultText(event.error) }) },
        },
      },
    },
    decided: {
      always: [
        {
          guard: 'mustChange',
          target: 'working',
          actions: sendParent(({ context }) =>
            toLoop(context, { type: 'GO-ON', feedback: decisionText(lastDecision(context)) }),
          ),
        },
        { guard: 'hasUnreviewed', target: 'checking' },
        { target: 'approved' },
      ],
    },
    approved: {
      entry: sendParent(({ context }) =>
        toLoop(context, {
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
              toLoop(context, { type: 'GO-ON', feedback: conflictText(context, event) }),
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
