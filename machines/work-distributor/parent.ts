import type { Task, TaskInput } from './plan.ts';
import type { TaskReport } from './report.ts';
import type { Lapse, Workspace } from './board.ts';

/** What a parent that accepts the results may say. An epoch that is over makes it say nothing. */
export type FromParent =
  /** The holder may start. */
  | {
      readonly type: 'ASSIGN';
      readonly taskId: string;
      readonly epoch: number;
      readonly workspace?: Workspace | undefined;
    }
  | { readonly type: 'ACCEPTED'; readonly taskId: string; readonly epoch: number }
  /** The same holder goes on, in the same epoch. */
  | { readonly type: 'REWORK'; readonly taskId: string; readonly epoch: number; readonly feedback: string }
  /** What was handed in is looked at again, and its holder has nothing to do: no lease runs until the next word. */
  | { readonly type: 'SUSPEND'; readonly taskId: string; readonly epoch: number }
  /** The task is taken from its holder. */
  | { readonly type: 'RELEASE'; readonly taskId: string; readonly epoch: number; readonly reason: string }
  | { readonly type: 'ADD-TASKS'; readonly tasks: readonly TaskInput[] }
  | { readonly type: 'FINISH' };

/** What it is told. */
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
      /** The one that is over. */
      readonly epoch: number;
      readonly reason: string;
      /** Whether its holder fell silent, returned it, or lost it; not said by an older distribution. */
      readonly end?: Lapse['end'];
      /** Nobody is offered the task any more. */
      readonly isBlocked: boolean;
    }
  /** An agent that had fallen silent has sent something. */
  | { readonly type: 'AGENT-HEARD'; readonly agent: string }
  | { readonly type: 'TASKS-REFUSED'; readonly reason: string }
  /** Nothing is left to do: it waits for ADD-TASKS or FINISH. */
  | { readonly type: 'TASKS-SETTLED'; readonly tasks: readonly TaskReport[] };
