import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { activity, ask, command, cut } from 'agent-mailroom/workflow';
import { assign, emit, enqueueActions, setup, spawnChild } from 'xstate';
import { machine as workDistributor } from '../work-distributor.ts';
import type { ToParent } from '../work-distributor/parent.ts';
import type { TaskInput } from '../work-distributor/plan.ts';
import { LAPSES_MAX } from '../work-distributor/rules.ts';
import type { ChangeInput } from './change-context.ts';
import { machine as change } from './change.ts';
import { openBranch } from './checkouts.ts';
import {
  changeId,
  type Context,
  type Delivery,
  ended,
  type Ending,
  type Event,
  headOf,
  isAtHand,
  isIdle,
  lastTests,
  planOf,
  silentAfter,
  taskOf,
  without,
} from './context.ts';
import type { LoopInput, LoopTerms } from './input.ts';
import { assertDelivered, type LoopMerge, settleIntegration } from './integration.ts';
import { describeBranch, mergeCommit } from './merge.ts';
import { templatePlan } from './planning.ts';
import { progress, type Progress } from './progress.ts';
import { publish } from './publish.ts';
import { bodyFile, type Publication, pullRequestBody, pullRequestText } from './pull-request.ts';
import type { LoopReport } from './report.ts';
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

const OUTPUT_LINES_TOLD = 60;

/** What a failing run becomes: a task with the end of what it printed. */
export function fixTask(context: Context): TaskInput {
  const round = context.tests.length;
  const { command: line, exitCode, output } = lastTests(context);
  return {
    id: fixId(context, round),
    title: `Mend what the tests found (round ${round} of ${context.terms.fixRounds})`,
    description: [
      `After everything was merged, \`${line}\` ended with ${exitCode ?? 'a time-out'}. Mend it.`,
      '',
      output.split('\n').slice(-OUTPUT_LINES_TOLD).join('\n'),
    ].join('\n'),
  };
}

/** Tasks of the plan that nobody is offered any more; what was only to be mended does not matter once the tests pass. */
function neverDone(context: Context): readonly string[] {
  const planned = new Set(planOf(context).tasks.map(({ id }) => id));
  return context.blocked.filter((id) => planned.has(id));
}

/** A task of the plan was lost so often that nobody can claim it any more: nothing can be delivered, so nothing is mended. */
function isHopeless(context: Context): boolean {
  return neverDone(context).some((id) => releasesOf(context, id).length >= LAPSES_MAX);
}

/** Why it is not delivered. */
export function endWithoutDelivery(context: Context): { ending: Ending } {
  const { fixRounds } = context.terms;
  const isFailing = lastTests(context).exitCode !== 0;
  const failing = isHopeless(context)
    ? 'the tests fail'
    : `the tests still fail after ${fixRounds} ${fixRounds === 1 ? 'round' : 'rounds'} of mending`;
  const missing = neverDone(context);
  if (missing.length === 0) return ended('tests-failed', failing);
  const why = missing.map((id) => `${id}${lostText(releasesOf(context, id))}`).join('; ');
  return ended('blocked', `nobody can do ${why}${isFailing ? `, and ${failing}` : ''}`);
}

const REASON_CHARS_MAX = 200;

/** ` (lost 2 times: ben returned it: no spec; cleo fell silent)` */
function lostText(releases: Context['releases']): string {
  const how = { silent: 'fell silent', 'given-back': 'returned it', 'taken-away': 'had it taken away' };
  const each = releases.map(({ agent, end, reason }) => {
    const [line = ''] = reason.split('\n', 1);
    return `${agent} ${how[end]}${end === 'silent' ? '' : `: ${cut(line, { charsMax: REASON_CHARS_MAX })}`}`;
  });
  if (each.length === 0) return '';
  return ` (lost ${each.length === 1 ? 'once' : `${each.length} times`}: ${each.join('; ')})`;
}

function releasesOf({ releases }: Context, taskId: string): Context['releases'] {
  return releases.filter((one) => one.taskId === taskId);
}

/** What a run that is out of time was waiting for. */
export function openText(context: Context): string {
  const { hands } = context;
  const each = openTasks(context).map((id) => (hands[id] ? `${id} (with ${hands[id].agent})` : id));
  return each.length === 0 ? '' : `, and these tasks are not done: ${each.join(', ')}`;
}

/** What a run was waiting for in which nobody is at work. */
export function unclaimedText(context: Context): string {
  const open = openTasks(context).filter((id) => !context.blocked.includes(id));
  return `nobody claimed ${open.join(', ')} within ${context.terms.answerMinutes} minutes`;
}

function openTasks({ plan, mending, changes }: Context): readonly string[] {
  const merged = changes.filter(({ outcome }) => outcome === 'merged').map(({ taskId }) => taskId);
  const all = [...(plan?.tasks ?? []).map(({ id }) => id), ...(mending === null ? [] : [mending])];
  return all.filter((id) => !merged.includes(id));
}

/** One that the plan does not have. */
function fixId(context: Context, round: number): string {
  const planned = planOf(context).tasks.map(({ id }) => id);
  let id = `fix-${round}`;
  while (planned.includes(id)) id = `fix-${id}`;
  return id;
}

/**
 * Checks that everything on the branch was approved, and writes the text of the pull request beside the checkouts. Doing it
 * again writes the same.
 */
export async function deliver(
  { repository, pullRequest }: LoopTerms,
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
  return { branch: repository.branch, head, commits: commits.length, diffStat, pullRequest: file };
}

async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}
