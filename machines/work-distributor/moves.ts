import type { Board, Entry, Holder, Lapse, Result, Workspace } from './board.ts';
import type { Task } from './plan.ts';

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
