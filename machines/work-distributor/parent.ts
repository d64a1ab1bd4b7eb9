import type { Task, TaskInput } from './plan.ts';
import type { TaskReport } from './report.ts';
import type { Lapse, Workspace } from './board.ts';

/** Events from a parent that accepts results. Events of an earlier epoch are ignored. */
export type FromParent =
  /** The holder may start. */
  | {
      readonly type: 'ASSIGN';
      readonly taskId: string;
      readonly epoch: number;
      readonly workspace?: Workspace | undefined;
    }
  | { readonly type: 'ACCEPTED'; readonly taskId: string; readonly epoch: number }
  /** The same holder continues, in the same epoch. */
  | { readonly type: 'REWORK'; readonly taskId: string; readonly epoch: number; readonly feedback: string }
  /** The result is under review again and the holder has nothing to do; no lease runs until the next event. */
  | { readonly type: 'SUSPEND'; readonly taskId: string; readonly epoch: number }
  /** The task is taken from its holder. */
  | { readonly type: 'RELEASE'; readonly taskId: string; readonly epoch: number; readonly reason: string }
  | { readonly type: 'ADD-TASKS'; readonly tasks: readonly TaskInput[] }
  | { readonly type: 'FINISH' };

/** Events to that parent. */
export type ToParent =
  | {
      readonly type: 'TASK-CLAIMED';
      readonly task: Task;
      readonly agent: string;
      readonly epoch: number;
      readonly messageId: string;
    }
  | {
      readonly type: 'TASK-COMPLETED';
      readonly task: Task;
      readonly agent: string;
      readonly epoch: number;
      readonly commit: string | null;
      readonly branch: string | null;
      readonly summary: string;
      readonly messageId: string;
    }
  | {
      readonly type: 'TASK-RELEASED';
      readonly taskId: string;
      readonly agent: string;
      /** The epoch that has ended. */
      readonly epoch: number;
      readonly reason: string;
      /** Whether the holder fell silent, returned the task, or lost it; missing in distributions of older versions. */
      readonly end?: Lapse['end'];
      /** Whether the task is no longer offered. */
      readonly isBlocked: boolean;
    }
  /** An agent that had fallen silent has sent something. */
  | { readonly type: 'AGENT-HEARD'; readonly agent: string }
  | { readonly type: 'TASKS-REFUSED'; readonly reason: string }
  /** Nothing is left to do; the distribution waits for ADD-TASKS or FINISH. */
  | { readonly type: 'TASKS-SETTLED'; readonly tasks: readonly TaskReport[] };
