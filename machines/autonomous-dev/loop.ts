import { assign, emit, enqueueActions, setup, spawnChild } from 'xstate';
import { activity, ask, command } from 'agent-mailroom/workflow';
import { machine as workDistributor } from '../work-distributor.ts';
import type { ToParent } from '../work-distributor/parent.ts';
import { machine as change } from './change.ts';
import type { ChangeInput } from './change-context.ts';
import { openBranch } from './checkouts.ts';
import {
  changeId,
  headOf,
  isAtHand,
  isIdle,
  lastTests,
  planOf,
  silentAfter,
  taskOf,
  without,
  type Context,
  type Event,
} from './context.ts';
import { deliver } from './delivery.ts';
import type { LoopInput, LoopTerms } from './input.ts';
import { isHopeless, neverDone } from './mending.ts';
import { templatePlan } from './planning.ts';
import { progress, type Progress } from './progress.ts';
import type { Publication } from './publication.ts';
import { publish } from './publish.ts';
import type { LoopReport } from './report.ts';
import { settleIntegration, type LoopMerge } from './integration.ts';
import { mergeCommit } from './merge.ts';
import type { Repository } from './repository.ts';

/** How often a planner is asked for a plan that can be used. */
export const PLAN_TRIES_MAX = 3;

export interface Question {
  readonly to: string;
  readonly content: string;
  readonly data: Readonly<Record<string, unknown>>;
}

function changeInput(context: Context, event: ToParent & { type: 'TASK-CLAIMED' }): ChangeInput {
  const { task, agent, epoch } = event;
  const { repository, reviewersNeeded, reviewRounds: rounds, reviewMinutes, voteSeconds } = context.terms;
  return {
    task,
    agent,
    epoch,
    repository,
    start: headOf(context),
    reviewersNeeded,
    rounds,
    reviewMinutes,
    voteSeconds,
  };
}

/** What the loop can do; its states are in files of their own. */
export const loop = setup({
  types: {
    context: {} as Context,
    events: {} as Event,
    input: {} as LoopInput,
    output: {} as LoopReport,
    emitted: {} as Progress,
  },
  actors: {
    open: activity((repository: Repository, { signal }) => openBranch(repository, signal)),
    question: ask(({ to }: Question) => to, {
      question: ({ content, data }: Question) => ({ type: 'QUESTION', content, data }),
    }),
    distribute: workDistributor,
    change,
    merge: activity(
      (
        { repository, ...merge }: { repository: Repository; head: string; commit: string; message: string },
        { signal },
      ) => mergeCommit(repository, merge, signal),
    ),
    settle: activity(async ({ repository, head }: { repository: Repository; head: string }, { signal }) => {
      await settleIntegration(repository, head, signal);
      return null;
    }),
    test: command(({ line, cwd, timeoutMs }: { line: string; cwd: string; timeoutMs: number }) => ({
      file: 'sh',
      args: ['-c', line],
      cwd,
      timeoutMs,
      env: { CI: '1' },
    })),
    deliver: activity(
      ({ terms, ...done }: { terms: LoopTerms; report: LoopReport; merges: readonly LoopMerge[] }, { signal }) =>
        deliver(terms, done, signal),
    ),
    publish: activity((publication: Publication, { signal }) => publish(publication, signal)),
  },
  delays: {
    answer: ({ context }) => context.terms.answerMinutes * 60_000,
    wallClock: ({ context }) => context.terms.maxHours * 3_600_000,
  },
  guards: {
    hasPlan: ({ context }) => context.plan !== null,
    hasPlanner: ({ context }) => context.terms.planner !== null && context.planTries < PLAN_TRIES_MAX,
    hasMerges: ({ context }) => context.toMerge.length > 0,
    isAtHand: ({ context, event }) => isAtHand(context, taskOf(event)),
    hasNobodyBegun: ({ context }) => context.begun === 0,
    isIdle: ({ context }) => isIdle(context),
    passed: ({ context }) => lastTests(context).exitCode === 0 && neverDone(context).length === 0,
    /** Then it is tested again when that has come to its end. */
    isStillAtWork: ({ context }) => lastTests(context).exitCode === 0 && Object.keys(context.hands).length > 0,
    knowsMending: ({ context: { mending }, event }) =>
      event.type === 'TASKS-SETTLED' && (mending === null || event.tasks.some(({ id }) => id === mending)),
    isUndelivered: ({ context }) => context.delivery === null,
    wantsPullRequest: ({ context }) => context.terms.pullRequest !== undefined,
    mayMend: ({ context }) =>
      lastTests(context).exitCode !== 0 && context.tests.length <= context.terms.fixRounds && !isHopeless(context),
  },
  actions: {
    begin: spawnChild('change', {
      id: ({ event }) => changeId(taskOf(event).taskId, taskOf(event).epoch),
      input: ({ context, event }) => changeInput(context, event as ToParent & { type: 'TASK-CLAIMED' }),
    }),
    take: assign(({ context, event }) => {
      if (event.type !== 'TASK-CLAIMED') return {};
      const { task, agent, epoch } = event;
      return {
        hands: { ...context.hands, [task.id]: { agent, epoch } },
        begun: context.begun + 1,
        ...silentAfter(context, { heard: [agent] }),
        blocked: context.blocked.filter((id) => id !== task.id),
      };
    }),
    noteReleased: enqueueActions(({ event, enqueue }) => {
      if (event.type !== 'TASK-RELEASED') return;
      // An older distribution does not say how it was lost.
      const { taskId, agent, epoch, reason, isBlocked, end = 'silent' } = event;
      enqueue.emit({ type: 'released', taskId, agent, reason, end });
      enqueue.assign(({ context }) => ({
        ...silentAfter(
          context,
          { silent: { unheard: [agent] }, 'given-back': { heard: [agent] }, 'taken-away': {} }[end],
        ),
        releases: [...context.releases, { taskId, agent, epoch, end, reason }],
        blocked: isBlocked ? [...new Set([...context.blocked, taskId])] : context.blocked,
      }));
    }),
    /** While nobody is at a task somebody has to claim one in time. */
    watchIdle: enqueueActions(({ context, enqueue }) => {
      enqueue.cancel('idle');
      if (isIdle(context)) enqueue.raise({ type: 'NOBODY-CLAIMS' }, { delay: 'answer', id: 'idle' });
    }),
    letGo: assign({ hands: ({ context, event }) => without(context.hands, taskOf(event).taskId) }),
    tellPlan: emit(({ context }) =>
      progress({
        type: 'planned',
        source: context.planSource,
        tasks: planOf(context).tasks.map(({ id, title, dependsOn }) => ({ id, title, dependsOn })),
      }),
    ),
    useTemplate: assign({
      plan: ({ context }) => templatePlan(context.terms.feature),
      planSource: ({ context }) =>
        context.terms.planner === null
          ? 'the built-in template, because nobody was asked for a plan'
          : `the built-in template, because ${context.terms.planner} gave none (${context.planFault ?? 'no answer'})`,
    }),
  },
});
