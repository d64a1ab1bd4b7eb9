import type { Task } from './plan.ts';

/** Where a task is worked on; given by a parent that creates worktrees. */
export interface Workspace {
  readonly directory: string;
  readonly branch: string;
  readonly base: string;
}

/** The holder of a task. There is at most one within an epoch of a task. */
export interface Holder {
  readonly agent: string;
  readonly epoch: number;
  /** Id of the message that claimed the task. */
  readonly claimId: string;
}

/** The result that a holder reports. */
export interface Result {
  readonly commit: string | null;
  readonly branch: string | null;
  readonly summary: string;
  readonly messageId: string;
}

/**
 * A task goes `free` → `claimed` → (`submitted` →) `done`:
 * - It returns to `free`, with a higher epoch, when its holder falls silent, gives it back, or has it taken away.
 * - A `blocked` task is no longer offered, but may still be claimed, unless it was lost too often.
 * - If a parent accepts results, a result is `submitted` until it does. Rework makes the task `claimed` again, by the same
 *   holder in the same epoch; a SUSPEND after that makes it `submitted` again, with the result handed in before.
 */
export type TaskStatus =
  | { readonly at: 'free' }
  | {
      readonly at: 'claimed';
      readonly holder: Holder;
      /** False until a parent has assigned it; no lease runs before that. */
      readonly isStarted: boolean;
      readonly workspace: Workspace | null;
      /** The rework that a parent asks for. */
      readonly feedback: string | null;
      /** The result handed in before the rework; a parent may still accept it. */
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
  /** Id of the message that ended the epoch, if one did. */
  readonly messageId: string | null;
}

export interface TaskEntry {
  readonly task: Task;
  /** Counted from 1: the epoch of the holder, or of the next one. */
  readonly epoch: number;
  readonly status: TaskStatus;
  /** Oldest first. */
  readonly lapses: readonly Lapse[];
  /** The agent that returned the task last; the others are offered it first. */
  readonly heldBackFrom?: string | null;
}

/** The whole state of a distribution: a value, changed only by `applyCommand` and `withTasks`. */
export interface Board {
  readonly entries: readonly TaskEntry[];
  /** Who may claim; null means everybody. */
  readonly agents: readonly string[] | null;
  readonly acceptance: 'automatic' | 'parent';
}

export function createBoard(tasks: readonly Task[], { agents, acceptance }: Omit<Board, 'entries'>): Board {
  return { entries: tasks.map((task) => newEntry(task)), agents, acceptance };
}

export function newEntry(task: Task): TaskEntry {
  return { task, epoch: 1, status: { at: 'free' }, lapses: [] };
}

export function entryOf({ entries }: Board, taskId: string): TaskEntry | undefined {
  return entries.find(({ task }) => task.id === taskId);
}

export function holderOf({ status }: TaskEntry): Holder | null {
  return 'holder' in status ? status.holder : null;
}

/** The unfinished dependencies of a task. */
export function missingFor({ entries }: Board, { task }: TaskEntry): readonly TaskEntry[] {
  return entries.filter((other) => task.dependsOn.includes(other.task.id) && other.status.at !== 'done');
}

/** The tasks on offer. */
export function availableOn(board: Board): readonly TaskEntry[] {
  return board.entries.filter((entry) => entry.status.at === 'free' && missingFor(board, entry).length === 0);
}

/** The board as one agent sees it: without the tasks that others are offered first. */
export function boardFor(board: Board, agent: string): Board {
  return {
    ...board,
    entries: board.entries.map((entry) =>
      isHeldBack(entry, agent) ? { ...entry, status: { at: 'blocked' as const } } : entry,
    ),
  };
}

export function isHeldBack({ status, heldBackFrom }: TaskEntry, agent: string): boolean {
  return status.at === 'free' && heldBackFrom === agent;
}

/** Lets agents claim tasks again that they returned, after the others had their time. */
export function withNothingHeldBack(board: Board): Board {
  return { ...board, entries: board.entries.map((entry) => ({ ...entry, heldBackFrom: null })) };
}

/** The tasks that an agent holds and has not handed in. */
export function heldBy({ entries }: Board, agent: string): readonly TaskEntry[] {
  return entries.filter(({ status }) => status.at === 'claimed' && status.holder.agent === agent);
}

/** No task is in work, under review or on offer, so nobody is expected to act. */
export function isSettled(board: Board): boolean {
  const isBusy = board.entries.some(({ status }) => status.at === 'claimed' || status.at === 'submitted');
  return !isBusy && availableOn(board).length === 0;
}

export function isAllDone({ entries }: Board): boolean {
  return entries.every(({ status }) => status.at === 'done');
}

/** A command to change a task. That of an agent names the verified sender. */
export type BoardCommand =
  | { readonly kind: 'claim'; readonly taskId: string; readonly agent: string; readonly messageId: string }
  | {
      readonly kind: 'complete';
      readonly taskId: string;
      readonly agent: string;
      /** Null if the agent names none: then the current epoch of the task. */
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

/** Why a command is refused; the board is unchanged. */
export type CommandRefusal =
  | { readonly why: 'unknown'; readonly near: string | null }
  | { readonly why: 'not-asked' }
  /** The task was lost too often. */
  | { readonly why: 'given-up' }
  /** The agent returned the task, and the others are offered it first. */
  | { readonly why: 'held-back' }
  | { readonly why: 'taken'; readonly holder: Holder }
  | { readonly why: 'in-review'; readonly holder: Holder }
  | { readonly why: 'done'; readonly holder: Holder }
  | { readonly why: 'not-ready'; readonly missing: readonly Task[] }
  /** The agent held the task in an epoch that is over. */
  | { readonly why: 'lapsed'; readonly lapse: Lapse }
  | { readonly why: 'other-epoch'; readonly epoch: number }
  | { readonly why: 'not-held' };

export type BoardVerdict =
  | BoardChange
  /** The command changes nothing, because its message was sent twice. */
  | { readonly kind: 'held' | 'known'; readonly board: Board; readonly before: TaskEntry; readonly after: TaskEntry }
  | {
      readonly kind: 'refused';
      readonly board: Board;
      readonly refusal: CommandRefusal;
      readonly before: TaskEntry | null;
    };

/** A task has changed. */
export interface BoardChange {
  readonly kind: 'granted' | 'assigned' | 'submitted' | 'done' | 'reworked' | 'suspended' | 'freed' | 'blocked';
  readonly board: Board;
  /** The task before and after. */
  readonly before: TaskEntry;
  readonly after: TaskEntry;
  /** The tasks that are newly on offer. */
  readonly opened: readonly TaskEntry[];
}
