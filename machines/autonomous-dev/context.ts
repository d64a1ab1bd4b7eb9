import type { Lapse } from '../work-distributor/board.ts';
import type { ToParent } from '../work-distributor/parent.ts';
import type { Plan } from '../work-distributor/plan.ts';
import type { ChangeReport, FromChange } from './change-events.ts';

import type { LoopTerms } from './input.ts';
import type { LoopMerge } from './integration.ts';
import type { Findings } from './planning.ts';

/** Who is at a task now. */
interface Hand {
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

export interface Context {
  readonly terms: LoopTerms;
  readonly findings: Findings | null;
  readonly plan: Plan | null;
  readonly planSource: string;
  readonly planTries: number;
  readonly planFault: string | null;
  /** By task. */
  readonly hands: Readonly<Record<string, Hand>>;
  /** In the order in which they were approved. */
  readonly toMerge: readonly Approved[];
  /** Every merge, in its order. The last one is where the branch must be. */
  readonly merges: readonly LoopMerge[];
  readonly changes: readonly ChangeReport[];
  readonly tests: readonly TestRun[];
  /** Agents who fell silent with a task or a review, and have not been heard of since. */
  readonly silent: readonly string[];
  /** Every claim that was lost, in that order. */
  readonly releases: readonly Release[];
  /** How many changes were begun: whose turn it is to review. */
  readonly begun: number;
  /** Ids of tasks that nobody is offered any more. */
  readonly blocked: readonly string[];
  /** The last task of mending. */
  readonly mending: string | null;
  readonly delivery: Delivery | null;
  readonly pullRequest: PullRequestReport | null;
  readonly ending: Ending | null;
}

export type Event = ToParent | FromChange | { readonly type: 'NOBODY-CLAIMS' };

export function changeId(taskId: string, epoch: number): string {
  return `change-${taskId}-${epoch}`;
}

export function isAtHand(
  { hands }: Context,
  { taskId, epoch }: { readonly taskId: string; readonly epoch: number },
): boolean {
  return hands[taskId]?.epoch === epoch;
}

/** Nobody is at a task. */
export function isIdle({ hands }: Context): boolean {
  return Object.keys(hands).length === 0;
}

export function without(hands: Context['hands'], taskId: string): Context['hands'] {
  return Object.fromEntries(Object.entries(hands).filter(([id]) => id !== taskId));
}

export function taskOf(event: Event): { readonly taskId: string; readonly epoch: number } {
  if ('task' in event) return { taskId: event.task.id, epoch: event.epoch };
  if ('taskId' in event) return event;
  throw new TypeError(`${event.type} is about no task`);
}

export function planOf({ plan }: Context): Plan {
  if (!plan) throw new TypeError('there is no plan yet');
  return plan;
}

export function nextToMerge({ toMerge }: Context): Approved {
  const [next] = toMerge;
  if (!next) throw new TypeError('there is nothing to merge');
  return next;
}

/** Where the branch that is delivered must be: nothing else was reviewed. */
export function headOf({ terms, merges }: Context): string {
  return merges.at(-1)?.commit ?? terms.repository.base;
}

/**
 * Who is free goes before who is at a task, each in turn. Who fell silent is asked last, and only where the others are too
 * few to review the author's work: it may be there after all.
 */
export function reviewOrder({ terms, silent, hands, begun, changes }: Context, author: string): string[] {
  const there = terms.agents.filter((one) => !silent.includes(one));
  const isEnough = there.filter((one) => one !== author).length >= terms.reviewersNeeded;
  const turn = (begun + changes.length) % Math.max(1, there.length);
  const inTurn = [...there.slice(turn), ...there.slice(0, turn)];
  const busy = new Set(Object.values(hands).map(({ agent }) => agent));
  return [
    ...inTurn.filter((one) => !busy.has(one)),
    ...inTurn.filter((one) => busy.has(one)),
    ...(isEnough ? [] : terms.agents.filter((one) => silent.includes(one))),
  ];
}

/** The silent ones after some have spoken and others have not answered. Whoever holds a task is alive: its lease says so. */
export function silentAfter(
  { silent, hands }: Context,
  { heard = [], unheard = [] }: { readonly heard?: readonly string[]; readonly unheard?: readonly string[] },
): { readonly silent: readonly string[] } {
  const atWork = Object.values(hands).map(({ agent }) => agent);
  const left = silent.filter((one) => !heard.includes(one));
  return { silent: [...new Set([...left, ...unheard.filter((one) => !atWork.includes(one))])] };
}

export function lastTests({ tests }: Context): TestRun {
  const last = tests.at(-1);
  if (!last) throw new TypeError('nothing was tested');
  return last;
}

/** How the loop ends. */
export const ended = (outcome: Ending['outcome'], reason: string): { ending: Ending } => ({
  ending: { outcome, reason },
});

/** A run of the repository's own tests over everything that was merged. */
export interface TestRun {
  readonly command: string;
  /** Null after a time-out. */
  readonly exitCode: number | null;
  /** The end of what it printed. */
  readonly output: string;
}

export interface Ending {
  readonly outcome: 'delivered' | 'tests-failed' | 'blocked' | 'nobody-answered' | 'time-over' | 'failed';
  readonly reason: string;
}

/** What came of the pull request that was asked for. */
export type PullRequestReport =
  | { readonly status: 'opened'; readonly url: string }
  /** With what git or gh said, and the commands that do it by hand. */
  | { readonly status: 'failed'; readonly fault: string; readonly byHand: readonly string[] };

/** What lies ready for people. */
export interface Delivery {
  readonly branch: string;
  /** The commit that the branch is at. */
  readonly head: string;
  /** How many commits it is ahead of its base. */
  readonly commits: number;
  readonly diffStat: string;
  /** The file with the text of the pull request. */
  readonly pullRequest: string;
}
