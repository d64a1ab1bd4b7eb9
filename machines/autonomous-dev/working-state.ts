import { assign, emit, sendTo, stopChild } from 'xstate';
import type { DistributionInput } from '../work-distributor/input.ts';
import type { FromParent } from '../work-distributor/parent.ts';
import { commitMessage } from '../shared/commit-message.ts';
import { faultText } from '../shared/input.ts';
import { UNANSWERED_MAX } from './change-context.ts';
import type { ToChange } from './change-events.ts';
import {
  changeId,
  ended,
  headOf,
  lastTests,
  nextToMerge,
  planOf,
  reviewOrder,
  silentAfter,
  without,
  type LoopContext,
} from './context.ts';
import { endWithoutDelivery, fixTask, loop, testInput, unclaimedText } from './loop.ts';
import type { Merge } from './merge.ts';

function toDistributor(event: FromParent): FromParent {
  return event;
}

function toChange(event: ToChange): ToChange {
  return event;
}

function aboutMerge(context: LoopContext): { readonly taskId: string; readonly agent: string } {
  const { taskId, agent } = nextToMerge(context);
  return { taskId, agent };
}

function mergedIn(merge: Merge): { readonly commit: string; readonly diffStat: string } {
  if (merge.status !== 'merged') throw new TypeError('the merge was not made');
  return { commit: merge.commit, diffStat: merge.diffStat };
}

/** Adds the new merge; an approved commit that was already in the branch needs none. */
function mergesWith(context: LoopContext, commit: string): LoopContext['merges'] {
  if (commit === headOf(context)) return context.merges;
  return [...context.merges, { commit, approved: nextToMerge(context).commit }];
}

function conflictIn(merge: Merge): { readonly files: readonly string[]; readonly with: string } {
  if (merge.status !== 'conflict') throw new TypeError('the merge has no conflict');
  return { files: merge.files, with: merge.with };
}

function distributionOf(context: LoopContext): DistributionInput {
  const { agents, leaseMinutes, maxHours } = context.terms;
  return {
    plan: { tasks: planOf(context).tasks.map((task) => ({ ...task })) },
    agents,
    leaseMinutes,
    minutes: maxHours * 60,
    acceptance: 'parent',
    staysOpen: true,
  };
}

/** Has tasks claimed, their changes merged, and everything tested, until the tests pass or no fix round is left. */
export const working = loop.createStateConfig({
  entry: emit(({ context }) => ({
    type: 'phase',
    phase: 'implementation',
    detail: `${planOf(context).tasks.length} tasks, ${context.terms.agents.length} agents`,
  })),
  invoke: {
    id: 'distributor',
    src: 'distribute',
    input: ({ context }) => distributionOf(context),
    onDone: {
      target: 'ended',
      actions: assign(({ event }) => ended('failed', `the distribution of the tasks ended: ${event.output.outcome}`)),
    },
    onError: { target: 'ended', actions: assign(({ event }) => ended('failed', faultText(event.error))) },
  },
  on: {
    'TASK-CLAIMED': {
      actions: [
        'begin',
        'take',
        'watchIdle',
        emit(({ event }) => ({
          type: 'claimed',
          taskId: event.task.id,
          title: event.task.title,
          agent: event.agent,
          epoch: event.epoch,
        })),
      ],
    },
    'TASK-COMPLETED': {
      guard: 'isCurrent',
      actions: [
        assign(({ context, event: { agent } }) => silentAfter(context, { heard: [agent] })),
        sendTo(
          ({ event }) => changeId(event.task.id, event.epoch),
          ({ context, event: { agent, commit, summary, messageId } }) =>
            toChange({ type: 'SUBMITTED', commit, summary, messageId, agents: reviewOrder(context, agent) }),
        ),
      ],
    },
    'AGENT-HEARD': { actions: assign(({ context, event }) => silentAfter(context, { heard: [event.agent] })) },
    ANSWERED: {
      actions: assign(({ context, event }) => silentAfter(context, { heard: event.agents, unheard: event.silent })),
    },
    'TASK-RELEASED': [
      {
        guard: 'isCurrent',
        actions: [
          sendTo(
            ({ event }) => changeId(event.taskId, event.epoch),
            ({ event }) => toChange({ type: 'RELEASED', reason: event.reason }),
          ),
          'unassign',
          'noteReleased',
          'watchIdle',
        ],
      },
      { actions: ['noteReleased', 'watchIdle'] },
    ],
    READY: {
      guard: 'isCurrent',
      actions: sendTo('distributor', ({ event: { taskId, epoch, workspace } }) =>
        toDistributor({ type: 'ASSIGN', taskId, epoch, workspace }),
      ),
    },
    'GO-ON': {
      guard: 'isCurrent',
      actions: sendTo('distributor', ({ event: { taskId, epoch, feedback } }) =>
        toDistributor({ type: 'REWORK', taskId, epoch, feedback }),
      ),
    },
    'PUT-TO-THE-VOTE': {
      guard: 'isCurrent',
      actions: sendTo('distributor', ({ event: { taskId, epoch } }) =>
        toDistributor({ type: 'SUSPEND', taskId, epoch }),
      ),
    },
    APPROVED: {
      guard: 'isCurrent',
      actions: assign({
        toMerge: ({ context, event: { taskId, epoch, commit, title, agent } }) => [
          ...context.toMerge,
          { taskId, epoch, commit, title, agent },
        ],
      }),
    },
    STUCK: {
      guard: 'isCurrent',
      actions: [
        sendTo('distributor', ({ event: { taskId, epoch, reason } }) =>
          toDistributor({ type: 'RELEASE', taskId, epoch, reason }),
        ),
        'unassign',
      ],
    },
    STALLED: {
      guard: 'isCurrent',
      target: 'ended',
      actions: assign(({ context, event }) => ({
        changes: [...context.changes, event.report],
        ...ended(
          'blocked',
          `${event.taskId} cannot be merged, ${event.reason}; reviews were requested ${UNANSWERED_MAX} times`,
        ),
      })),
    },
    'TASKS-REFUSED': {
      target: 'ended',
      actions: assign(({ event }) => ended('failed', `a fix task was refused: ${event.reason}`)),
    },
    'CHANGE-ENDED': {
      actions: [
        assign({ changes: ({ context, event }) => [...context.changes, event.report] }),
        stopChild(({ event }) => changeId(event.taskId, event.epoch)),
      ],
    },
  },
  after: {
    answer: {
      guard: 'hasNobodyBegun',
      target: 'ended',
      actions: assign(({ context }) =>
        ended('nobody-answered', `nobody claimed a task within ${context.terms.answerMinutes} minutes`),
      ),
    },
  },
  initial: 'building',
  states: {
    building: {
      // A TASKS-SETTLED that was sent before the distributor got the fix task is outdated.
      on: {
        'TASKS-SETTLED': { guard: 'knowsFixTask', target: 'settling' },
        'NOBODY-CLAIMS': {
          guard: 'isIdle',
          target: '#autonomous-dev-loop.ended',
          actions: assign(({ context }) => ended('nobody-answered', unclaimedText(context))),
        },
      },
      initial: 'waiting',
      states: {
        waiting: { always: { guard: 'hasMerges', target: 'merging' } },
        merging: {
          invoke: {
            src: 'merge',
            input: ({ context }) => {
              const { taskId, title, commit, agent } = nextToMerge(context);
              const note = `Work of ${agent}, reviewed and approved.`;
              const message = commitMessage(`Merge ${taskId}: ${title}`, { note });
              return { repository: context.terms.repository, head: headOf(context), commit, message };
            },
            onDone: [
              {
                guard: ({ event }) => event.output.status === 'merged',
                target: 'waiting',
                reenter: true,
                actions: [
                  emit(({ context, event }) => ({
                    type: 'merged',
                    ...aboutMerge(context),
                    ...mergedIn(event.output),
                  })),
                  sendTo(
                    ({ context }) => changeId(nextToMerge(context).taskId, nextToMerge(context).epoch),
                    ({ event }) => toChange({ type: 'MERGED', commit: mergedIn(event.output).commit }),
                  ),
                  sendTo('distributor', ({ context }) => {
                    const { taskId, epoch } = nextToMerge(context);
                    return toDistributor({ type: 'ACCEPTED', taskId, epoch });
                  }),
                  assign(({ context, event }) => ({
                    hands: without(context.hands, nextToMerge(context).taskId),
                    merges: mergesWith(context, mergedIn(event.output).commit),
                    toMerge: context.toMerge.slice(1),
                  })),
                  'watchIdle',
                ],
              },
              {
                target: 'waiting',
                reenter: true,
                actions: [
                  emit(({ context, event }) => ({
                    type: 'conflict',
                    ...aboutMerge(context),
                    files: conflictIn(event.output).files,
                  })),
                  sendTo(
                    ({ context }) => changeId(nextToMerge(context).taskId, nextToMerge(context).epoch),
                    ({ event }) => toChange({ type: 'CONFLICT', ...conflictIn(event.output) }),
                  ),
                  assign({ toMerge: ({ context }) => context.toMerge.slice(1) }),
                ],
              },
            ],
            onError: {
              target: '#autonomous-dev-loop.ended',
              actions: assign(({ event }) => ended('failed', faultText(event.error))),
            },
          },
        },
      },
    },
    /** The tests run on the commit that would be delivered, without anything left over in its checkout. */
    settling: {
      invoke: {
        src: 'settle',
        input: ({ context }) => ({ repository: context.terms.repository, head: headOf(context) }),
        onDone: 'testing',
        onError: {
          target: '#autonomous-dev-loop.ended',
          actions: assign(({ event }) => ended('failed', faultText(event.error))),
        },
      },
    },
    testing: {
      entry: emit(({ context }) => ({ type: 'phase', phase: 'testing', detail: context.terms.testCommand })),
      invoke: {
        id: 'tests',
        src: 'test',
        input: ({ context }) => testInput(context),
        onDone: [
          {
            guard: ({ event }) => 'fault' in event.output,
            target: '#autonomous-dev-loop.ended',
            actions: assign(({ event }) => ended('failed', 'fault' in event.output ? event.output.fault : '')),
          },
          {
            target: 'judging',
            actions: [
              assign({
                tests: ({ context, event: { output } }) =>
                  'run' in output ? [...context.tests, output.run] : context.tests,
              }),
              emit(({ context }) => ({ type: 'tested', ...lastTests(context), round: context.tests.length - 1 })),
            ],
          },
        ],
        onError: {
          target: '#autonomous-dev-loop.ended',
          actions: assign(({ event }) => ended('failed', faultText(event.error))),
        },
      },
    },
    judging: {
      always: [
        { guard: 'isStillAtWork', target: 'building' },
        { guard: 'passed', target: '#autonomous-dev-loop.delivering' },
        {
          guard: 'mayFix',
          target: 'building',
          actions: [
            sendTo('distributor', ({ context }) => toDistributor({ type: 'ADD-TASKS', tasks: [fixTask(context)] })),
            assign({ mending: ({ context }) => fixTask(context).id }),
            'watchIdle',
          ],
        },
        {
          target: '#autonomous-dev-loop.ended',
          actions: assign(({ context }) => endWithoutDelivery(context)),
        },
      ],
    },
  },
});
