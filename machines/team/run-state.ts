import path from 'node:path';
import { openRoom, type Room } from 'agent-mailroom';
import { listWorkflows, type WaitingFor, type WorkflowInfo } from 'agent-mailroom/runtime';
import type { ChangeContext } from '../autonomous-dev/change-context.ts';
import { isIdle, type LoopContext } from '../autonomous-dev/context.ts';
import { machine } from '../autonomous-dev.ts';
import { machine as codeReview } from '../code-review.ts';
import { type ReviewProgress, waitedFor } from '../code-review/progress.ts';
import { type ConsensusContext, machine as consensus } from '../consensus.ts';
import { outcomeOf, type Run, runName } from './run-directory.ts';
import { pidOfHost } from './run-host.ts';
import { lookCloserText } from './summary.ts';

const FEATURE_CHARS_SHOWN = 60;
const WAITS_SHOWN_MAX = 6;

/** A task of a run as people ask about it. */
export interface TaskFacts {
  readonly id: string;
  readonly title: string;
  readonly state: 'open' | 'in work' | 'to be merged' | 'merged' | 'blocked';
  /** Who has it, or did it. */
  readonly agent: string | undefined;
}

/** What is known of a run, from its files; the shape that `--json` prints. */
export interface RunFacts {
  readonly run: string;
  readonly id: string;
  readonly directory: string;
  /** `working`: a process carries it out. `interrupted`: none does, and it can be resumed. Else how it ended. */
  readonly state: string;
  readonly pid: number | undefined;
  readonly startedAt: string | undefined;
  readonly feature: string;
  readonly repository: string;
  readonly branch: string;
  /** The state of the loop, such as `researching`; undefined before it began. */
  readonly phase: string | undefined;
  readonly tasks: readonly TaskFacts[];
  /** What it waits for, one text each; empty where nobody carries it out. */
  readonly waitsFor: readonly string[];
  readonly lookCloser: string;
}

export async function runFacts(run: Run): Promise<RunFacts> {
  const { directory, input, startedAt } = run;
  const pid = pidOfHost(directory);
  const workflows = await workflowsOf(directory);
  const loop = workflows.find(({ address }) => address === machine.id);
  const snapshot = loop?.state?.snapshot as { value?: unknown; context?: LoopContext } | undefined;
  return {
    run: runName(run),
    id: input.repository.run,
    directory,
    state: outcomeOf(run) ?? (pid === undefined ? 'interrupted' : 'working'),
    pid,
    startedAt,
    feature: input.feature,
    repository: input.repository.directory,
    branch: input.repository.branch,
    phase: snapshot === undefined ? undefined : phaseOf(snapshot.value),
    tasks: shownTasks(snapshot?.context),
    waitsFor: pid === undefined ? [] : waitsIn(workflows, Date.now()),
    lookCloser: lookCloserText(run),
  };
}

async function workflowsOf(directory: string): Promise<WorkflowInfo[]> {
  try {
    await using room = await openRoom({ directory: path.join(directory, '.mailroom') });
    return listWorkflows(room);
  } catch {
    // A run that is being created, or whose room was removed.
    return [];
  }
}

/** `working` for `{ working: { building: 'waiting' } }`. */
function phaseOf(value: unknown): string {
  return typeof value === 'string' ? value : (Object.keys(value ?? {})[0] ?? '');
}

/** None of a journal that cannot be read. */
function shownTasks(context: LoopContext | undefined): TaskFacts[] {
  try {
    return context ? tasksOf(context) : [];
  } catch {
    return [];
  }
}

function tasksOf({ plan, hands, toMerge, changes, blocked }: LoopContext): TaskFacts[] {
  return (plan?.tasks ?? []).map(({ id, title }): TaskFacts => {
    const merged = changes.find((one) => one.taskId === id && one.outcome === 'merged');
    if (merged) return { id, title, state: 'merged', agent: merged.agent };
    const approved = toMerge.find(({ taskId }) => taskId === id);
    if (approved) return { id, title, state: 'to be merged', agent: approved.agent };
    const held = hands[id];
    if (held) return { id, title, state: 'in work', agent: held.agent };
    return { id, title, state: blocked.includes(id) ? 'blocked' : 'open', agent: undefined };
  });
}

/** What the workflows of a room wait for, with whom and since when; what lies deepest is what is waited for. */
export function waitsOf(room: Room, nowMs: number): string[] {
  return waitsIn(listWorkflows(room), nowMs);
}

/** The same of workflows that were listed. */
export function waitsIn(workflows: readonly WorkflowInfo[], nowMs: number): string[] {
  return workflows.flatMap((info) => {
    const { address, state, waitingFor, stuck } = info;
    const where = address === machine.id ? '' : ` (${address.slice(machine.id.length + 1)})`;
    if (state?.failed) return [`a person: ${address} is FAILED, see mailroom why ${address}`];
    if (stuck) return [`a step of ${address} that does not return, since ${sinceText(nowMs - stuck.since)}`];
    if (state?.status !== 'active') return [];
    const calls = waitingFor.flatMap((one) => waitText(one, nowMs) ?? []).map((text) => `${text}${where}`);
    return [...calls, ...shownMail(info, nowMs)];
  });
}

/** A journal is not signed, and may be of another version: what cannot be read is not shown. */
function shownMail(info: WorkflowInfo, nowMs: number): string[] {
  try {
    return mailText(info, nowMs);
  } catch {
    return [];
  }
}

/** The mail of agents that a workflow of a team waits for, by what its machine knows. */
function mailText({ machine: id, state }: WorkflowInfo, nowMs: number): string[] {
  const { context, value } = (state?.snapshot ?? {}) as { readonly context?: unknown; readonly value?: unknown };
  const since = sinceText(nowMs - (state?.since ?? nowMs));
  if (id === machine.id) {
    const loop = context as LoopContext;
    const open =
      phaseOf(value) === 'working' && isIdle(loop) ? tasksOf(loop).filter((one) => one.state === 'open') : [];
    return open.length === 0 ? [] : [`somebody to claim ${open.map((one) => one.id).join(', ')}`];
  }
  if (id === 'change') {
    const { agent, task } = context as ChangeContext;
    const isAtWork = value === 'working' || JSON.stringify(value) === '{"reviewing":"revising"}';
    return isAtWork ? [`${agent} to hand in ${task.id}, since ${since}`] : [];
  }
  if (id === codeReview.id) {
    const review = context as ReviewProgress;
    const missing = waitedFor(review);
    return missing.length === 0
      ? []
      : [`a review by ${missing.join(', ')} of "${review.change.title}", since ${since}`];
  }
  if (id !== consensus.id) return [];
  const { election, ballots } = context as ConsensusContext;
  const missing = election.electorate.filter((one) => !ballots.some(({ voter }) => voter === one));
  return missing.length === 0 ? [] : [`votes of ${missing.join(', ')} on "${election.question}", since ${since}`];
}

/** Undefined for what is waited for by others: timers, and children, which are listed themselves. */
function waitText(one: WaitingFor, nowMs: number): string | undefined {
  switch (one.kind) {
    case 'answer':
      return `an answer of ${one.from}, asked ${sinceText(nowMs - one.since)} ago`;
    case 'activity':
    case 'command':
      return `${WORK[one.src] ?? one.src}, begun ${sinceText(nowMs - one.since)} ago`;
    default:
      return undefined;
  }
}

/** The work that a run's machines start, in words. */
const WORK: Readonly<Record<string, string>> = {
  open: 'the set-up of the checkout',
  prepare: 'the set-up of the checkout of a task',
  test: 'the test command',
  check: 'the look at a commit',
  merge: 'a merge',
  settle: 'the look at the branch',
  deliver: 'the delivery',
  publish: 'the pull request',
};

function sinceText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}

/** One line for a list. */
export function runLine({ run, id, state, pid, feature, tasks }: RunFacts): string {
  const [first = ''] = feature.split('\n', 1);
  const title = first.replace(/^#+\s*/, '');
  const shown = title.length > FEATURE_CHARS_SHOWN ? `${title.slice(0, FEATURE_CHARS_SHOWN - 1)}…` : title;
  const merged = tasks.filter((one) => one.state === 'merged').length;
  const progress = tasks.length === 0 ? '' : `, ${merged} of ${tasks.length} tasks merged`;
  return `${run}  ${id}  ${state}${pid === undefined ? '' : ` (process ${pid})`}${progress}  ${shown}`;
}

/** Several lines about one run, and the commands that show more. */
export function runText(facts: RunFacts): string {
  const { directory, startedAt, repository, branch, phase, tasks, waitsFor, lookCloser } = facts;
  const width = Math.max(0, ...tasks.map(({ id }) => id.length));
  return [
    runLine(facts),
    `  directory   ${directory}`,
    `  repository  ${repository}`,
    `  branch      ${branch}`,
    ...(startedAt === undefined ? [] : [`  started     ${startedAt}`]),
    ...(phase === undefined ? [] : [`  phase       ${phase}`]),
    ...tasks.map(
      ({ id, state, agent, title }, at) =>
        `  ${at === 0 ? 'tasks      ' : '           '} ${id.padEnd(width)}  ${state}${agent === undefined ? '' : `, ${agent}`}: ${title}`,
    ),
    ...waitingLines(waitsFor).map((line, at) => `  ${at === 0 ? 'waits for  ' : '           '} ${line}`),
    '',
    lookCloser,
  ].join('\n');
}

/** What is waited for, cut to a few lines; the messages of agents if it is nothing else. */
export function waitingLines(waits: readonly string[]): string[] {
  const more = waits.length - WAITS_SHOWN_MAX;
  return [...waits.slice(0, WAITS_SHOWN_MAX), ...(more > 0 ? [`and ${more} more`] : [])];
}
