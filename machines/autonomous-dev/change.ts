import { and, assign, emit, enqueueActions, sendParent, sendTo, setup, stopChild } from 'xstate';
import { activity } from 'agent-mailroom/workflow';
import { machine as codeReview } from '../code-review.ts';
import type { Revised } from '../code-review/events.ts';
import type { ReviewOutput } from '../code-review/progress.ts';
import { machine as consensus } from '../consensus.ts';
import { faultText } from '../shared/fault-text.ts';
import {
  conflictText,
  disputedBy,
  disputedIn,
  exhaustedText,
  IN_VAIN_MAX,
  isUnanswered,
  lastDecisions,
  lastReview,
  reportOf,
  reviewOf,
  roundsLeft,
  SAME_CONFLICT_MAX,
  submissionOf,
  UNANSWERED_MAX,
  unansweredReviews,
  voteId,
  voteOf,
  waitingText,
  workspaceOf,
  type ChangeInput,
  type Context,
} from './change-context.ts';
import type { ChangeReport, Event, FromChange, ToChange, VoteEnded, WordOfChange } from './change-events.ts';
import { decisionOf, decisionText, type Decision } from './decision.ts';
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

function commitIn(handedIn: HandedIn): string {
  if ('fault' in handedIn) throw new TypeError('it cannot be reviewed');
  return handedIn.commit;
}

export interface Fault {
  readonly fault: string;
}

/** Why what was handed in cannot be reviewed, or is nothing new. */
function faultOf({ asked }: Context, handedIn: HandedIn): Fault {
  if ('fault' in handedIn) return handedIn;
  if (!asked.includes(handedIn.commit)) throw new TypeError(`${handedIn.commit} can be reviewed`);
  const advice = 'commit what is to be changed and hand in the new commit, or return the task';
  return { fault: `${handedIn.commit} was handed in before; ${advice}` };
}

function isFaulty({ asked }: Context, handedIn: HandedIn): boolean {
  return 'fault' in handedIn || asked.includes(handedIn.commit);
}

/** Once more in vain would be once too often. */
function isLastTry({ inVain }: Context): boolean {
  return inVain + 1 >= IN_VAIN_MAX;
}

/** A revision that came when the review was over, because it was disputed, is one that no reviewer was asked about. */
function askedIn(context: Context, { change: { commit } }: ReviewOutput): readonly string[] {
  return context.asked.filter((one) => one === commit || one !== submissionOf(context).commit);
}

function conflictAfter({ conflict }: Context, { with: head }: ToChange & { type: 'CONFLICT' }): Context['conflict'] {
  return { with: head, times: conflict?.with === head ? conflict.times + 1 : 1 };
}

function decidedIn(context: Context, { actorId, output }: VoteEnded): Decision {
  return decisionOf({ taskId: context.task.id, issue: disputedBy(context, actorId).issue }, output);
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
  delays: { patience: ({ context }) => context.reviewMinutes * 60_000 },
  guards: {
    hasCommit: ({ event }) => event.type === 'SUBMITTED' && event.commit !== null,
    isLastTry: ({ context }) => isLastTry(context),
    isApproved: ({ context }) => lastReview(context).outcome === 'approved',
    isDisputed: ({ context }) => lastReview(context).outcome !== 'rounds-exhausted' && disputedIn(context).length > 0,
    isUnanswered: ({ context }) => isUnanswered(lastReview(context)),
    isStalled: ({ context }) => unansweredReviews(context) >= UNANSWERED_MAX,
    areAllDecided: ({ context }) => lastDecisions(context).length >= disputedIn(context).length,
    mustChange: ({ context }) => lastDecisions(context).some((one) => one.mustChange),
    hasNoRoundLeft: ({ context }) => roundsLeft(context) < 1,
    /** It crossed the disagreement on its way. */
    hasUnreviewed: ({ context }) => submissionOf(context).commit !== lastReview(context).change.commit,
    conflictsAgain: ({ context, event }) =>
      event.type === 'CONFLICT' && (conflictAfter(context, event)?.times ?? 0) >= SAME_CONFLICT_MAX,
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
    /** What cannot be reviewed counts as not handed in. */
    sendBack: enqueueActions(({ context, enqueue }, { fault }: Fault) => {
      enqueue.sendParent(toLoop(context, { type: 'GO-ON', feedback: `It cannot be reviewed: ${fault}.` }));
      enqueue.assign({ submissions: context.submissions.slice(0, -1), inVain: context.inVain + 1 });
    }),
    askForCommit: enqueueActions(({ context, enqueue }) => {
      const feedback =
        'Please say which commit it is: --data \'{"commit":"…"}\' with the full id, as in the command below.';
      enqueue.sendParent(toLoop(context, { type: 'GO-ON', feedback }));
      enqueue.assign({ inVain: context.inVain + 1 });
    }),
    tellHandedIn: emit(({ context }) => {
      const { commit, summary, messageId } = submissionOf(context);
      return progress({ type: 'handed-in', taskId: context.task.id, agent: context.agent, commit, summary, messageId });
    }),
    report: sendParent(({ context }) => toLoop(context, { type: 'CHANGE-ENDED', report: reportOf(context) })),
    giveUp: sendParent(({ context }, { reason }: { readonly reason: string }) =>
      toLoop(context, { type: 'STUCK', reason }),
    ),
    giveUpTrying: sendParent(({ context }, { fault }: Fault) =>
      toLoop(context, { type: 'STUCK', reason: `${IN_VAIN_MAX} times in a row nothing new was handed in: ${fault}` }),
    ),
    giveUpRounds: sendParent(({ context }) => toLoop(context, { type: 'STUCK', reason: exhaustedText(context) })),
    noteAsked: assign(({ context }) => ({ asked: [...context.asked, submissionOf(context).commit], inVain: 0 })),
    openVotes: enqueueActions(({ context, enqueue }) => {
      for (const one of disputedIn(context)) {
        enqueue.spawnChild('vote', { id: voteId(one), input: voteOf(context, one) });
      }
    }),
    tellReviewers: enqueueActions(({ context, enqueue }) => {
      const { feedback, gone } = lastReview(context);
      const silent = gone.filter(({ why }) => why === 'silent').map(({ reviewer }) => reviewer);
      const declined = gone.filter(({ why }) => why === 'declined').map(({ reviewer }) => reviewer);
      const agents = [...new Set([...feedback.map(({ reviewer }) => reviewer), ...declined])];
      if (agents.length + silent.length > 0) enqueue.sendParent(toLoop(context, { type: 'ANSWERED', agents, silent }));
    }),
  },
});

const WITHOUT_COMMIT = [
  {
    guard: 'isLastTry',
    target: '#change.stuck',
    actions: { type: 'giveUpTrying', params: { fault: 'no commit was named' } },
  },
  { actions: 'askForCommit' },
] as const;

/**
 * One claim of a task until its commit is merged: a checkout of its own, the work of the agent, its review in rounds, a vote
 * on each disagreement, and once more from the work on where the merge conflicts. Every way back has a bound (see the table
 * of cycles in machines/README.md). What was handed in and finds no reviewer waits, and is asked about again.
 */
export const machine = change.createMachine({
  id: 'change',
  context: ({ input }) => ({
    ...input,
    agents: [],
    workspace: null,
    submissions: [],
    asked: [],
    inVain: 0,
    reviews: [],
    reviewsBefore: 0,
    decisions: [],
    conflicts: 0,
    conflict: null,
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
        SUBMITTED: [{ guard: 'hasCommit', target: 'checking', actions: ['take', 'tellHandedIn'] }, ...WITHOUT_COMMIT],
      },
    },
    checking: {
      invoke: {
        src: 'check',
        input: ({ context }) => checkOf(context),
        onDone: [
          {
            guard: ({ context, event }) => isFaulty(context, event.output) && isLastTry(context),
            target: 'stuck',
            actions: { type: 'giveUpTrying', params: ({ context, event }) => faultOf(context, event.output) },
          },
          {
            guard: ({ context, event }) => isFaulty(context, event.output),
            target: 'working',
            actions: { type: 'sendBack', params: ({ context, event }) => faultOf(context, event.output) },
          },
          { guard: 'hasNoRoundLeft', target: 'stuck', actions: 'giveUpRounds' },
          {
            target: 'reviewing',
            actions: [{ type: 'identify', params: ({ event }) => ({ commit: commitIn(event.output) }) }, 'noteAsked'],
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
            assign(({ context, event }) => ({
              reviews: [...context.reviews, event.output],
              asked: askedIn(context, event.output),
            })),
            emit(({ context, event }) => ({ type: 'reviewed', taskId: context.task.id, review: event.output })),
            'tellReviewers',
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
              ...WITHOUT_COMMIT,
            ],
          },
        },
        checking: {
          invoke: {
            src: 'check',
            input: ({ context }) => checkOf(context),
            onDone: [
              {
                guard: ({ context, event }) => isFaulty(context, event.output) && isLastTry(context),
                target: '#change.stuck',
                actions: {
                  type: 'giveUpTrying',
                  params: ({ context, event }) => faultOf(context, event.output),
                },
              },
              {
                guard: ({ context, event }) => isFaulty(context, event.output),
                target: 'revising',
                actions: { type: 'sendBack', params: ({ context, event }) => faultOf(context, event.output) },
              },
              {
                target: 'waiting',
                actions: [
                  { type: 'identify', params: ({ event }) => ({ commit: commitIn(event.output) }) },
                  'noteAsked',
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
        { guard: 'isApproved', target: 'approved' },
        { guard: 'isDisputed', target: 'voting' },
        { guard: 'isUnanswered', target: 'unanswered' },
        { target: 'stuck', actions: 'giveUpRounds' },
      ],
    },
    /** One vote on each disagreement, all at the same time, so that a voter who is gone is waited for once. */
    voting: {
      entry: [
        emit(({ context }) => ({
          type: 'disputed',
          taskId: context.task.id,
          disagreements: disputedIn(context),
        })),
        sendParent(({ context }) => toLoop(context, { type: 'PUT-TO-THE-VOTE' })),
        'openVotes',
      ],
      on: {
        SUBMITTED: { guard: 'hasCommit', actions: ['take', 'tellHandedIn'] },
        'xstate.done.actor.*': {
          actions: [
            emit(({ context, event }) => ({ type: 'decided', decision: decidedIn(context, event) })),
            sendParent(({ context, event }) =>
              toLoop(context, {
                type: 'ANSWERED',
                agents: event.output.votes.map(({ voter }) => voter),
                silent: [],
              }),
            ),
            assign({ decisions: ({ context, event }) => [...context.decisions, decidedIn(context, event)] }),
            stopChild(({ event }) => event.actorId),
          ],
        },
        'xstate.error.actor.*': {
          target: 'stuck',
          actions: { type: 'giveUp', params: ({ event }) => ({ reason: faultText(event.error) }) },
        },
      },
      always: { guard: 'areAllDecided', target: 'decided' },
    },
    decided: {
      always: [
        { guard: and(['mustChange', 'hasNoRoundLeft']), target: 'stuck', actions: 'giveUpRounds' },
        {
          guard: 'mustChange',
          target: 'working',
          actions: sendParent(({ context }) =>
            toLoop(context, {
              type: 'GO-ON',
              feedback: lastDecisions(context)
                .map((one) => decisionText(one))
                .join('\n\n'),
            }),
          ),
        },
        { guard: 'hasUnreviewed', target: 'checking' },
        { guard: 'isUnanswered', target: 'unanswered' },
        { target: 'approved' },
      ],
    },
    /** It is good work, perhaps: it stays as it is, and its review is begun again after a while. */
    unanswered: {
      entry: emit(({ context }) => ({
        type: 'waiting',
        taskId: context.task.id,
        agent: context.agent,
        reason: waitingText(context),
      })),
      always: { guard: 'isStalled', target: 'stalled' },
      after: { patience: 'reviewing' },
    },
    approved: {
      entry: [
        assign({ reviewsBefore: ({ context }) => context.reviews.length }),
        sendParent(({ context }) =>
          toLoop(context, {
            type: 'APPROVED',
            commit: submissionOf(context).commit,
            title: context.task.title,
            agent: context.agent,
          }),
        ),
      ],
      on: {
        MERGED: { target: 'merged', actions: assign({ merge: ({ event }) => event.commit }) },
        CONFLICT: [
          {
            guard: 'conflictsAgain',
            target: 'stuck',
            actions: {
              type: 'giveUp',
              params: ({ event }) => ({
                reason: `it conflicted ${SAME_CONFLICT_MAX} times with the same commit ${event.with}, in ${event.files.join(', ')}`,
              }),
            },
          },
          {
            target: 'working',
            actions: [
              assign({
                conflicts: ({ context }) => context.conflicts + 1,
                conflict: ({ context, event }) => conflictAfter(context, event),
              }),
              sendParent(({ context, event }) =>
                toLoop(context, { type: 'GO-ON', feedback: conflictText(context, event) }),
              ),
            ],
          },
        ],
      },
    },
    merged: { type: 'final', entry: [assign({ outcome: 'merged' }), 'report'] },
    released: { type: 'final', entry: [assign({ outcome: 'released' }), 'report'] },
    stuck: { type: 'final', entry: [assign({ outcome: 'stuck' }), 'report'] },
    stalled: {
      type: 'final',
      entry: [
        assign({ outcome: 'stuck' }),
        sendParent(({ context }) =>
          toLoop(context, { type: 'STALLED', reason: waitingText(context), report: reportOf(context) }),
        ),
      ],
    },
  },
  output: ({ context }) => reportOf(context),
});
