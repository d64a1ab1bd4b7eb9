import type { Lapse } from '../work-distributor/board.ts';
import type { ToParent } from '../work-distributor/parent.ts';
import type { Plan } from '../work-distributor/plan.ts';
import type { ChangeReport, FromChange } from './change-events.ts';
import type { Convention } from './conventions.ts';
import type { LoopSettings } from './input.ts';
import type { LoopMerge } from './integration.ts';
import type { ResearchFindings } from './planning.ts';
import type { KnownFailures, TestRun } from './test-run.ts';

/** The agent that works on a task now. */
interface Assignment {
  readonly agent: string;
  readonly epoch: number;
}

/** A claim that was lost. */
export interface Release {
  readonly taskId: string;
  readonly agent: string;
  readonly epoch: number;
  readonly end: Lapse['end'];
  readonly reason: string;
}

export interface Approved {
  readonly taskId: string;
  readonly epoch: number;
  readonly commit: string;
  readonly title: string;
  readonly agent: string;
}

export interface LoopContext {
  readonly terms: LoopSettings;
  readonly findings: ResearchFindings | null;
  readonly plan: Plan | null;
  readonly planSource: string;
  readonly planTries: number;
  readonly planFault: string | null;
  /** How many plans could not be used. */
  readonly planRefusals: number;
  /** Unknown keys of the plan, one text each. */
  readonly planIgnored: readonly string[];
  /** The assignments, by task id. */
  readonly hands: Readonly<Record<string, Assignment>>;
  /** Approved commits, in the order of approval. */
  readonly toMerge: readonly Approved[];
  /** Every merge, in order. The branch must be at the last one. */
  readonly merges: readonly LoopMerge[];
  readonly changes: readonly ChangeReport[];
  readonly tests: readonly TestRun[];
  readonly conventions: readonly Convention[];
  /** The first port of the integration checkout. */
  readonly ports: number | null;
  /** The test run on the base; null where it is not tested. */
  readonly baseRun: TestRun | null;
  readonly known: KnownFailures;
  /** Agents that fell silent with a task or a review, and have sent nothing since. */
  readonly silent: readonly string[];
  /** Every lost claim, in order. */
  readonly releases: readonly Release[];
  /** How many changes were started; rotates the reviewers. */
  readonly begun: number;
  /** Ids of tasks that are no longer offered. */
  readonly blocked: readonly string[];
  /** Id of the last fix task. */
  readonly mending: string | null;
  readonly delivery: Delivery | null;
  readonly pullRequest: PullRequestReport | null;
  readonly ending: LoopEnding | null;
}

export type LoopEvent = ToParent | FromChange | { readonly type: 'NOBODY-CLAIMS' };

export function changeId(taskId: string, epoch: number): string {
  return `change-${taskId}-${epoch}`;
}

/** Whether the epoch of a task is the one that is being worked on. */
export function isCurrent(
  { hands }: LoopContext,
  { taskId, epoch }: { readonly taskId: string; readonly epoch: number },
): boolean {
  return hands[taskId]?.epoch === epoch;
}

/** Whether nobody works on a task. */
export function isIdle({ hands }: LoopContext): boolean {
  return Object.keys(hands).length === 0;
}

export function without(hands: LoopContext['hands'], taskId: string): LoopContext['hands'] {
  return Object.fromEntries(Object.entries(hands).filter(([id]) => id !== taskId));
}

export function taskOf(event: LoopEvent): { readonly taskId: string; readonly epoch: number } {
  if ('task' in event) return { taskId: event.task.id, epoch: event.epoch };
  if ('taskId' in event) return event;
  throw new TypeError(`${event.type} is about no task`);
}

export function planOf({ plan }: LoopContext): Plan {
  if (!plan) throw new TypeError('there is no plan yet');
  return plan;
}

export function nextToMerge({ toMerge }: LoopContext): Approved {
  const [next] = toMerge;
  if (!next) throw new TypeError('there is nothing to merge');
  return next;
}

/** The commit that the delivered branch must be at; nothing else was reviewed. */
export function headOf({ terms, merges }: LoopContext): string {
  return merges.at(-1)?.commit ?? terms.repository.base;
}

/**
 * Reviewers in the order of asking: free agents before those with a task, each group round-robin. Silent agents come last,
 * and only if the others are too few to review the author's work; they may have come back.
 */
export function reviewOrder({ terms, silent, hands, begun, changes }: LoopContext, author: string): string[] {
  const responsive = terms.agents.filter((one) => !silent.includes(one));
  const isEnough = responsive.filter((one) => one !== author).length >= terms.reviewersNeeded;
  const first = (begun + changes.length) % Math.max(1, responsive.length);
  const rotated = [...responsive.slice(first), ...responsive.slice(0, first)];
  const busy = new Set(Object.values(hands).map(({ agent }) => agent));
  return [
    ...rotated.filter((one) => !busy.has(one)),
    ...rotated.filter((one) => busy.has(one)),
    ...(isEnough ? [] : terms.agents.filter((one) => silent.includes(one))),
  ];
}

/** The silent agents after some were heard and others were not. An agent that holds a task counts as alive while its lease runs. */
export function silentAfter(
  { silent, hands }: LoopContext,
  { heard = [], unheard = [] }: { readonly heard?: readonly string[]; readonly unheard?: readonly string[] },
): { readonly silent: readonly string[] } {
  const working = Object.values(hands).map(({ agent }) => agent);
  const left = silent.filter((one) => !heard.includes(one));
  return { silent: [...new Set([...left, ...unheard.filter((one) => !working.includes(one))])] };
}

export function lastTests({ tests }: LoopContext): TestRun {
  const last = tests.at(-1);
  if (!last) throw new TypeError('nothing was tested');
  return last;
}

/** The context change that ends the loop. */
export const ended = (outcome: LoopEnding['outcome'], reason: string): { ending: LoopEnding } => ({
  ending: { outcome, reason },
});

export interface LoopEnding {
  readonly outcome: 'delivered' | 'not-ready' | 'tests-failed' | 'blocked' | 'nobody-answered' | 'time-over' | 'failed';
  readonly reason: string;
}

/** The outcome of a requested pull request. */
export type PullRequestReport =
  | { readonly status: 'opened'; readonly url: string }
  /** With the output of git or gh, and the commands to open it by hand. */
  | { readonly status: 'failed'; readonly fault: string; readonly byHand: readonly string[] };

/** What is ready for people. */
export interface Delivery {
  readonly branch: string;
  /** The commit of the branch. */
  readonly head: string;
  /** How many commits the branch is ahead of its base. */
  readonly commits: number;
  readonly diffStat: string;
  /** The path of the file with the text of the pull request. */
  readonly pullRequest: string;
}
