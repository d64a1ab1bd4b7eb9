import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { activity, ask, cut } from 'agent-mailroom/workflow';
import { assign, emit, enqueueActions, setup, spawnChild } from 'xstate';
import { machine as workDistributor } from '../work-distributor.ts';
import type { ToParent } from '../work-distributor/parent.ts';
import type { TaskInput } from '../work-distributor/plan.ts';
import { LAPSES_MAX } from '../work-distributor/rules.ts';
import type { ChangeInput } from './change-context.ts';
import { machine as change } from './change.ts';
import { openBranch } from './checkouts.ts';
import { conventionsOf } from './conventions.ts';
import {
  changeId,
  type LoopContext,
  type Delivery,
  ended,
  type LoopEnding,
  type LoopEvent,
  headOf,
  isCurrent,
  isIdle,
  lastTests,
  planOf,
  silentAfter,
  taskOf,
  without,
} from './context.ts';
import type { LoopInput, LoopSettings } from './input.ts';
import { assertDelivered, type LoopMerge, releaseBranch, settleIntegration } from './integration.ts';
import { describeBranch, mergeCommit } from './merge.ts';
import { templatePlan } from './planning.ts';
import { progress, type LoopProgress } from './progress.ts';
import { publish } from './publish.ts';
import { bodyFile, type Publication, pullRequestBody, pullRequestText } from './pull-request.ts';
import type { LoopReport } from './report.ts';
import { integrationDirectory, type Repository } from './repository.ts';
import { isPassed, machine as testRun, type TestRunInput } from './test-run.ts';

/** How often a planner is asked for a valid plan. */
export const PLAN_TRIES_MAX = 3;

export interface LoopQuestion {
  readonly to: string;
  readonly content: string;
  readonly data: Readonly<Record<string, unknown>>;
}

function changeInput(context: LoopContext, event: ToParent & { type: 'TASK-CLAIMED' }): ChangeInput {
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

/** Actors, guards and actions of the loop; its states are in files of their own. */
export const loop = setup({
  types: {
    context: {} as LoopContext,
    events: {} as LoopEvent,
    input: {} as LoopInput,
    output: {} as LoopReport,
    emitted: {} as LoopProgress,
  },
  actors: {
    open: activity(async (repository: Repository, { signal }) => ({
      ...(await openBranch(repository, signal)),
      conventions: await conventionsOf(repository, signal),
    })),
    question: ask(({ to }: LoopQuestion) => to, {
      question: ({ content, data }: LoopQuestion) => ({ type: 'QUESTION', content, data }),
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
    testBase: testRun,
    test: testRun,
    deliver: activity(
      ({ terms, ...done }: { terms: LoopSettings; report: LoopReport; merges: readonly LoopMerge[] }, { signal }) =>
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
    isCurrent: ({ context, event }) => isCurrent(context, taskOf(event)),
    hasNobodyBegun: ({ context }) => context.begun === 0,
    isIdle: ({ context }) => isIdle(context),
    passed: ({ context }) => isPassed(lastTests(context)) && neverDone(context).length === 0,
    /** The tests pass while tasks are in work; they run again when those tasks have ended. */
    isStillAtWork: ({ context }) => isPassed(lastTests(context)) && Object.keys(context.hands).length > 0,
    knowsFixTask: ({ context: { mending }, event }) =>
      event.type === 'TASKS-SETTLED' && (mending === null || event.tasks.some(({ id }) => id === mending)),
    isUndelivered: ({ context }) => context.delivery === null,
    wantsPullRequest: ({ context }) => context.terms.pullRequest !== undefined,
    mayFix: ({ context }) =>
      !isPassed(lastTests(context)) && context.tests.length <= context.terms.fixRounds && !isHopeless(context),
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
      // A distribution of an older version does not say how the task was lost.
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
    /** While nobody works on a task, somebody has to claim one in time. */
    watchIdle: enqueueActions(({ context, enqueue }) => {
      enqueue.cancel('idle');
      if (isIdle(context)) enqueue.raise({ type: 'NOBODY-CLAIMS' }, { delay: 'answer', id: 'idle' });
    }),
    unassign: assign({ hands: ({ context, event }) => without(context.hands, taskOf(event).taskId) }),
    tellPlan: emit(({ context }) =>
      progress({
        type: 'planned',
        source: context.planSource,
        ignored: context.planIgnored,
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

/** The tests in the checkout of what is merged so far. */
export function testInput({ terms, ports, known }: LoopContext): TestRunInput {
  return {
    line: terms.testCommand,
    directory: integrationDirectory(terms.repository),
    ports,
    timeoutMs: terms.testMinutes * 60_000,
    report: terms.testReport ?? null,
    known,
  };
}

const OUTPUT_LINES_TOLD = 60;
const NAMES_TOLD_MAX = 20;

/** A task to fix a failing test run, with the tail of its output. */
export function fixTask(context: LoopContext): TaskInput {
  const round = context.tests.length;
  const { command: line, exitCode, output, failing } = lastTests(context);
  const known = context.known?.names ?? [];
  const names = (failing ?? []).filter((one) => !known.includes(one));
  return {
    id: fixId(context, round),
    title: `Fix the failing tests (round ${round} of ${context.terms.fixRounds})`,
    description: [
      `After all changes were merged, \`${line}\` ended with ${exitCode ?? 'a timeout'}. Please fix it.`,
      ...(names.length === 0 ? [] : ['', 'Failed tests:', ...names.slice(0, NAMES_TOLD_MAX).map((one) => `- ${one}`)]),
      '',
      output.split('\n').slice(-OUTPUT_LINES_TOLD).join('\n'),
    ].join('\n'),
  };
}

/** Tasks of the plan that are no longer offered. A blocked fix task does not matter once the tests pass. */
function neverDone(context: LoopContext): readonly string[] {
  const planned = new Set(planOf(context).tasks.map(({ id }) => id));
  return context.blocked.filter((id) => planned.has(id));
}

/** Whether a task of the plan is given up for good: then nothing can be delivered, so nothing is fixed. */
function isHopeless(context: LoopContext): boolean {
  return neverDone(context).some((id) => releasesOf(context, id).length >= LAPSES_MAX);
}

/** Ends the loop without a delivery, with the reason. */
export function endWithoutDelivery(context: LoopContext): { ending: LoopEnding } {
  const { fixRounds } = context.terms;
  const isFailing = !isPassed(lastTests(context));
  const failing = isHopeless(context)
    ? 'the tests fail'
    : `the tests still fail after ${fixRounds} fix ${fixRounds === 1 ? 'round' : 'rounds'}`;
  const missing = neverDone(context);
  if (missing.length === 0) return ended('tests-failed', failing);
  const why = missing.map((id) => `${id}${lostText(releasesOf(context, id))}`).join('; ');
  return ended('blocked', `nobody can do ${why}${isFailing ? `, and ${failing}` : ''}`);
}

const REASON_CHARS_MAX = 200;

/** ` (lost 2 times: ben returned it: no spec; cleo fell silent)` */
function lostText(releases: LoopContext['releases']): string {
  const how = { silent: 'fell silent', 'given-back': 'returned it', 'taken-away': 'had it taken away' };
  const each = releases.map(({ agent, end, reason }) => {
    const [line = ''] = reason.split('\n', 1);
    return `${agent} ${how[end]}${end === 'silent' ? '' : `: ${cut(line, { charsMax: REASON_CHARS_MAX })}`}`;
  });
  if (each.length === 0) return '';
  return ` (lost ${each.length === 1 ? 'once' : `${each.length} times`}: ${each.join('; ')})`;
}

function releasesOf({ releases }: LoopContext, taskId: string): LoopContext['releases'] {
  return releases.filter((one) => one.taskId === taskId);
}

/** The unfinished tasks of a run that is out of time. */
export function openText(context: LoopContext): string {
  const { hands } = context;
  const each = openTasks(context).map((id) => (hands[id] ? `${id} (with ${hands[id].agent})` : id));
  return each.length === 0 ? '' : `, and these tasks are not done: ${each.join(', ')}`;
}

/** The unclaimed tasks of a run in which nobody works. */
export function unclaimedText(context: LoopContext): string {
  const open = openTasks(context).filter((id) => !context.blocked.includes(id));
  return `nobody claimed ${open.join(', ')} within ${context.terms.answerMinutes} minutes`;
}

function openTasks({ plan, mending, changes }: LoopContext): readonly string[] {
  const merged = changes.filter(({ outcome }) => outcome === 'merged').map(({ taskId }) => taskId);
  const all = [...(plan?.tasks ?? []).map(({ id }) => id), ...(mending === null ? [] : [mending])];
  return all.filter((id) => !merged.includes(id));
}

/** A task id that the plan does not use. */
function fixId(context: LoopContext, round: number): string {
  const planned = planOf(context).tasks.map(({ id }) => id);
  let id = `fix-${round}`;
  while (planned.includes(id)) id = `fix-${id}`;
  return id;
}

/**
 * Checks that everything on the branch was approved, writes the text of the pull request next to the checkouts, and leaves the
 * branch to the user. Idempotent.
 */
export async function deliver(
  { repository, pullRequest }: LoopSettings,
  { report, merges }: { readonly report: LoopReport; readonly merges: readonly LoopMerge[] },
  signal: AbortSignal,
): Promise<Delivery> {
  await assertDelivered(repository, merges, signal);
  const head = merges.at(-1)?.commit ?? repository.base;
  const { commits, diffStat } = await describeBranch(repository, head, signal);
  const facts = { head, commits, diffStat };
  const file = path.join(repository.workDirectory, 'PULL-REQUEST.md');
  await writeWhole(file, pullRequestText(report, facts));
  if (pullRequest) await writeWhole(bodyFile(repository), pullRequestBody(report, facts));
  await releaseBranch(repository, signal);
  return { branch: repository.branch, head, commits: commits.length, diffStat, pullRequest: file };
}

async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}
