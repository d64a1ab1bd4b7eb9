import type { Task } from './plan.ts';

/** Where a task is to be worked on, as a parent that makes worktrees says it. */
export interface Workspace {
  readonly directory: string;
  readonly branch: string;
  readonly base: string;
}

/** Who holds a task. Within one epoch of a task there is never another. */
export interface Holder {
  readonly agent: string;
  readonly epoch: number;
  /** The message by which it was claimed. */
  readonly claimId: string;
}

/** What a holder says it has done. */
export interface Result {
  readonly commit: string | null;
  readonly branch: string | null;
  readonly summary: string;
  readonly messageId: string;
}

/**
 * A task is `free` → `claimed` → (`submitted` →) `done`. It goes back to `free`, with the epoch raised, when its holder is
 * silent, gives it back, or has it taken away. `blocked` is one that nobody is offered any more; who knows better may
 * still claim it, unless it was taken away too often. Where results are accepted by a parent they are `submitted` until then; rework makes them `claimed`
 * again, by the same holder in the same epoch, unless the parent suspends it: then what was handed in is `submitted` still.
 */
export type TaskStatus =
  | { readonly at: 'free' }
  | {
      readonly at: 'claimed';
      readonly holder: Holder;
      /** False until a parent has assigned it: no lease runs before. */
      readonly isStarted: boolean;
      readonly workspace: Workspace | null;
      /** What a parent wants done again. */
      readonly feedback: string | null;
      /** What was handed in before that; a parent may still come to accept it. */
      readonly result: Result | null;
    }
  | {
      readonly at: 'submitted';
      readonly holder: Holder;
      readonly workspace: Workspace | null;
      readonly result: Result;
    }
  | { readonly at: 'done'; readonly holder: Holder; readonly result: Result }
  | { readonly at: 'blocked' };

/** An epoch in which a task was held and not done. */
export interface Lapse {
  readonly holder: Holder;
  readonly end: 'silent' | 'given-back' | 'taken-away';
  readonly reason: string;
  /** The message that ended it, where it was one. */
  readonly messageId: string | null;
}

export interface Entry {
  readonly task: Task;
  /** From 1 on: that of the holder, or of the next one. */
  readonly epoch: number;
  readonly status: TaskStatus;
  /** Oldest first. */
  readonly lapses: readonly Lapse[];
  /** Who returned it last: the others are offered it first. */
  readonly heldBackFrom?: string | null;
}

/** All that is decided by: a value, changed only by `play`. */
export interface Board {
  readonly entries: readonly Entry[];
  /** Who may claim; null for everybody. */
  readonly agents: readonly string[] | null;
  readonly acceptance: 'automatic' | 'parent';
}

export function createBoard(tasks: readonly Task[], { agents, acceptance }: Omit<Board, 'entries'>): Board {
  return { entries: tasks.map((task) => newEntry(task)), agents, acceptance };
}

export function newEntry(task: Task): Entry {
  return { task, epoch: 1, status: { at: 'free' }, lapses: [] };
}

export function entryOf({ entries }: Board, taskId: string): Entry | undefined {
  return entries.find(({ task }) => task.id === taskId);
}

export function holderOf({ status }: Entry): Holder | null {
  return 'holder' in status ? status.holder : null;
}

/** The tasks that have to be done before this one can be claimed. */
export function missingFor({ entries }: Board, { task }: Entry): readonly Entry[] {
  return entries.filter((other) => task.dependsOn.includes(other.task.id) && other.status.at !== 'done');
}

/** The tasks that are offered. */
export function availableOn(board: Board): readonly Entry[] {
  return board.entries.filter((entry) => entry.status.at === 'free' && missingFor(board, entry).length === 0);
}

/** The board as one agent is told of it: without what the others are offered first. */
export function boardFor(board: Board, agent: string): Board {
  return {
    ...board,
    entries: board.entries.map((entry) =>
      isHeldBack(entry, agent) ? { ...entry, status: { at: 'blocked' as const } } : entry,
    ),
  };
}

export function isHeldBack({ status, heldBackFrom }: Entry, agent: string): boolean {
  return status.at === 'free' && heldBackFrom === agent;
}

/** The others had their time: whoever returned a task may have it again. */
export function withNothingHeldBack(board: Board): Board {
  return { ...board, entries: board.entries.map((entry) => ({ ...entry, heldBackFrom: null })) };
}

/** What an agent holds and is to work on. */
export function heldBy({ entries }: Board, agent: string): readonly Entry[] {
  return entries.filter(({ status }) => status.at === 'claimed' && status.holder.agent === agent);
}

/** Nothing is worked on or looked at, and nothing is offered: nobody is expected to do anything any more. */
export function isSettled(board: Board): boolean {
  const isBusy = board.entries.some(({ status }) => status.at === 'claimed' || status.at === 'submitted');
  return !isBusy && availableOn(board).length === 0;
}

export function isAllDone({ entries }: Board): boolean {
  return entries.every(({ status }) => status.at === 'done');
}

/** Something that is to happen to a task. What an agent wants names the verified sender. */
export type Move =
  | { readonly kind: 'claim'; readonly taskId: string; readonly agent: string; readonly messageId: string }
  | {
      readonly kind: 'complete';
      readonly taskId: string;
      readonly agent: string;
      /** Null where the agent does not say it: then it is that of the task. */
      readonly epoch: number | null;
      readonly result: Result;
    }
  | {
      readonly kind: 'give-back';
      readonly taskId: string;
      readonly agent: string;
      readonly epoch: number | null;
      readonly reason: string;
      readonly messageId: string;
    }
  | { readonly kind: 'expire'; readonly taskId: string; readonly epoch: number }
  | { readonly kind: 'assign'; readonly taskId: string; readonly epoch: number; readonly workspace: Workspace | null }
  | { readonly kind: 'accept'; readonly taskId: string; readonly epoch: number }
  | { readonly kind: 'rework'; readonly taskId: string; readonly epoch: number; readonly feedback: string }
  | { readonly kind: 'suspend'; readonly taskId: string; readonly epoch: number }
  | { readonly kind: 'take-away'; readonly taskId: string; readonly epoch: number; readonly reason: string };

/** Why something did not happen. The board is as it was. */
export type Refusal =
  | { readonly why: 'unknown'; readonly near: string | null }
  | { readonly why: 'not-asked' }
  /** It was lost too often. */
  | { readonly why: 'given-up' }
  /** The agent returned it, and the others are offered it first. */
  | { readonly why: 'held-back' }
  | { readonly why: 'taken'; readonly holder: Holder }
  | { readonly why: 'in-review'; readonly holder: Holder }
  | { readonly why: 'done'; readonly holder: Holder }
  | { readonly why: 'not-ready'; readonly missing: readonly Task[] }
  /** The agent held it, in an epoch that is over. */
  | { readonly why: 'lapsed'; readonly lapse: Lapse }
  | { readonly why: 'other-epoch'; readonly epoch: number }
  | { readonly why: 'not-held' };

export type Verdict =
  | Change
  /** It is so already: a message that was sent twice. */
  | { readonly kind: 'held' | 'known'; readonly board: Board; readonly before: Entry; readonly after: Entry }
  | { readonly kind: 'refused'; readonly board: Board; readonly refusal: Refusal; readonly before: Entry | null };

/** A task is another than before. */
export interface Change {
  readonly kind: 'granted' | 'assigned' | 'submitted' | 'done' | 'reworked' | 'suspended' | 'freed' | 'blocked';
  readonly board: Board;
  /** The task as it was, and as it is. */
  readonly before: Entry;
  readonly after: Entry;
  /** The tasks that are offered now and were not before. */
  readonly opened: readonly Entry[];
}
