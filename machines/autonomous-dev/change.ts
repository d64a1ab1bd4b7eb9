import { and, assign, emit, sendParent, sendTo, stopChild } from 'xstate';
import type { Revised } from '../code-review/events.ts';
import { faultText } from '../shared/input.ts';
import {
  conflictText,
  disputedIn,
  lastDecisions,
  outsideText,
  reportOf,
  reviewOf,
  SAME_CONFLICT_MAX,
  submissionOf,
  waitingText,
} from './change-context.ts';
import { decisionText } from './decision.ts';
import {
  faultOf,
  change,
  toLoop,
  checkOf,
  isFaulty,
  isLastTry,
  reviewable,
  askedIn,
  decidedIn,
  conflictAfter,
} from './change-setup.ts';

const WITHOUT_COMMIT = [
  {
    guard: 'isLastTry',
    target: '#change.stuck',
    actions: { type: 'giveUpTrying', params: { fault: 'no commit was named' } },
  },
  { actions: 'askForCommit' },
] as const;

/**
 * One claim of a task until its commit is merged: a checkout of its own, the agent's work, its review in rounds, a vote on
 * each disagreement, and back to work if the merge conflicts. Every loop has a bound (see the table of bounds in
 * machines/README.md). A submission without a reviewer waits, and its review is requested again.
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
            actions: [{ type: 'identify', params: ({ event }) => reviewable(event.output) }, 'noteAsked'],
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
                  { type: 'identify', params: ({ event }) => reviewable(event.output) },
                  'noteAsked',
                  sendTo('review', ({ context }): Revised => ({
                    type: 'REVISED',
                    commit: submissionOf(context).commit,
                    note: `${submissionOf(context).summary}${outsideText(submissionOf(context))}`,
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
    /** One vote on each disagreement, all at the same time, so that a missing voter is waited for only once. */
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
    /** The work may be good, so it is kept, and a new review starts after a while. */
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
                reason: `its merge conflicted ${SAME_CONFLICT_MAX} times with the same commit ${event.with}, in ${event.files.join(', ')}`,
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
