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
import { lookAtCommit, type HandedIn } from './handed-in.ts';
import { openWorkspace } from './checkouts.ts';
import type { Repository } from './repository.ts';

function toLoop({ task, epoch }: Context, word: WordOfChange): FromChange {
  return { ...word, taskId: task.id, epoch };
}

function checkOf(context: Context): { repository: Repository; commit: string; base: string } {
  return { repository: context.repository, commit: submissionOf(context).commit, base: workspaceOf(context).base };
}

function faultIn(handedIn: HandedIn): string {
  return 'fault' in handedIn ? handedIn.fault : '';
}

function commitIn(handedIn: HandedIn): string {
  if ('fault' in handedIn) throw new TypeError('it cannot be reviewed');
  return handedIn.commit;
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
    prepare: activity(({ repository, ...place }: { repository: Repository; name: string; start: string }, { signal }) =>
      openWorkspace(repository, place, signal),
    ),
    check: activity(({ repository, ...about }: { repository: Repository; commit: string; base: string }, { signal }) =>
      lookAtCommit(repository, about, signal),
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
    /** From here on it is the one commit that was looked at, wherever a branch goes. */
    identify: assign(({ context }, { commit }: { readonly commit: string }) => ({
      submissions: [...context.submissions.slice(0, -1), { ...submissionOf(context), commit }],
    })),
    sendBack: sendParent(({ context }, { fault }: { readonly fault: string }) =>
      toLoop(context, { type: 'GO-ON', feedback: `It cannot be reviewed: ${fault}.` }),
    ),
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
        input: ({ context: { repository, start, task, epoch } }) => ({
          repository,
          start,
          name: `${task.id}-${epoch}`,
        }),
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
        input: ({ context }) => checkOf(context),
        onDone: [
          {
            guard: ({ event }) => 'fault' in event.output,
            target: 'working',
            actions: { type: 'sendBack', params: ({ event }) => ({ fault: faultIn(event.output) }) },
          },
          {
            target: 'reviewing',
            actions: { type: 'identify', params: ({ event }) => ({ commit: commitIn(event.output) }) },
          },
        ],
        onError: {
          target: 'stuck',
          actions: { type: 'giveUp', params: ({ event }) => ({ reason: faultText(event.error) }) },
        },
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
                target: 'checking',
                actions: ['take', 'tellHandedIn'],
              },
              { actions: 'askForCommit' },
            ],
          },
        },
        checking: {
          invoke: {
            src: 'check',
            input: ({ context }) => checkOf(context),
            onDone: [
              {
                guard: ({ event }) => 'fault' in event.output,
                target: 'revising',
                actions: { type: 'sendBack', params: ({ event }) => ({ fault: faultIn(event.output) }) },
              },
              {
                target: 'waiting',
                actions: [
                  { type: 'identify', params: ({ event }) => ({ commit: commitIn(event.output) }) },
                  sendTo('review', ({ context }): Revised => ({
                    type: 'REVISED',
                    commit: submissionOf(context).commit,
                    note: submissionOf(context).summary,
                  })),
                ],
              },
            ],
            onError: {
              target: '#change.stuck',
              actions: { type: 'giveUp', params: ({ event }) => ({ reason: faultText(event.error) }) },
            },
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
