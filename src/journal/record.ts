import type { ProcessIdentity } from '../host/processes.ts';
import type { PlannedAction, PlannedLog } from '../step/plan-effects.ts';
import type { Cause, MailFacts } from '../step/cause.ts';
import type { ErrorFacts, BlockingStep, PlainEvent, StepFailure, WorkflowState } from '../step/workflow-state.ts';

/** The newest format of the records below that this version knows. A journal with a newer format is refused. */
export const JOURNAL_VERSION = 2;

/**
 * The format that a reader must know to resume from this state: 2 if it is FAILED, which format 1 does not have. Everything else
 * is the same in both formats, so that an older version can still read it.
 */
export function formatOf(state: WorkflowState | undefined): number {
  return state?.failed ? JOURNAL_VERSION : 1;
}

export function isKnownFormat(v: number): boolean {
  return Number.isInteger(v) && v >= 1 && v <= JOURNAL_VERSION;
}

/**
 * The body of a journal record. The chain file around it gives each record its `seq` and decides which records count.
 */
export type JournalBody =
  | { readonly open: OpenRecord }
  | { readonly commit: CommitRecord }
  | { readonly failed: FailedRecord }
  | { readonly note: NoteRecord }
  | { readonly performed: PerformedRecord };

/** A host has taken the workflow; from here on every other host is fenced. */
export interface OpenRecord {
  readonly v: number;
  /** Ms since the epoch. */
  readonly at: number;
  readonly process: ProcessIdentity;
  /** The machine that it runs. */
  readonly machine: MachineRef;
}

export interface MachineRef {
  readonly id: string;
  /** The fingerprint of its code, see `machineHash`. */
  readonly hash: string;
  /** Absolute path of the file that exports it as `machine` or default, if known. */
  readonly file?: string;
}

/** A step. At this record the step is committed, and all its effects will be performed. */
export interface CommitRecord {
  readonly at: number;
  readonly cause: Cause;
  /** `failed`: the step threw; the state is the one before it, with the cause consumed, or the workflow has ended. */
  readonly verdict: 'stepped' | 'unhandled' | 'failed';
  readonly failure?: StepFailure;
  readonly state: WorkflowState;
  /** Messages, made and signed once and never derived again. */
  readonly outbox: readonly OutboxEntry[];
  readonly actions: readonly PlannedAction[];
  readonly logs: readonly PlannedLog[];
  readonly emitted: readonly PlainEvent[];
  /** See `StepResult`; only if the machine asked. */
  readonly kin?: Readonly<Record<string, boolean>>;
  readonly progress: EffectProgress;
}

/**
 * A step that blocks the workflow: from here on it is FAILED. The state stays as it was before, with the timer, call or message
 * that caused the step, and everything for the workflow waits. The next commit is a retry of the same cause, or a stop.
 */
export interface FailedRecord extends BlockingStep {
  /** As in a commit. */
  readonly kin?: Readonly<Record<string, boolean>>;
  readonly progress: EffectProgress;
}

/** A message that changed nothing: refused (it becomes a dead letter), or too late (it is acknowledged). */
export interface NoteRecord {
  readonly at: number;
  readonly mail: MailFacts;
  readonly verdict: 'refused' | 'late';
  /** The reason of the dead letter. */
  readonly reason?: string;
  readonly detail: string;
  readonly progress: EffectProgress;
}

/** Written when the workflow is idle, so that the next host has nothing to repeat. */
export interface PerformedRecord {
  readonly at: number;
  readonly progress: EffectProgress;
  /** The host closed the journal cleanly, so no message killed it. */
  readonly isClosing?: true;
}

/** How far the effects of earlier records are done and synced. */
export interface EffectProgress {
  /** The mail of all records up to this seq is moved, and their actions have run. */
  readonly performed: number;
  /** Ids of outgoing messages that were delivered, refused or purged since the last record. */
  readonly delivered: readonly string[];
  /** Effect ids of calls with `onCrash: 'fail'` that are about to start. */
  readonly started: readonly string[];
}

export interface OutboxEntry {
  readonly id: string;
  readonly effectId: string;
  /** As signed: addresses, or `all`. */
  readonly to: readonly string[];
  /** The recipients of a broadcast. */
  readonly recipients?: readonly string[];
  /** Between a workflow and its children: not counted against the rate limit. */
  readonly isControl?: true;
  /** The child id of the ask whose question it is. */
  readonly ask?: string;
  /** The whole message file, as text. */
  readonly file?: string;
  /** For an END: why its output could not be sent; `file` then holds this error instead. */
  readonly withoutOutput?: ErrorFacts;
  /** Why the message could not be made (too large, not JSON …): it is refused for good. */
  readonly refusal?: ErrorFacts;
  readonly type: string;
  readonly content: string;
}

/** The first record of a new segment: the state of the journal so far. */
export interface Carried {
  readonly v: number;
  readonly open: OpenRecord;
  /** The chain writer of that record. */
  readonly openedBy: string;
  readonly state?: WorkflowState;
  readonly performed: number;
  /** Records above `performed`, with their seq. */
  readonly unperformed: readonly Unperformed[];
  readonly undelivered: readonly OutboxEntry[];
  readonly started: readonly string[];
}

/** What is left to do for a record: move its message, run its actions. */
export interface Unperformed {
  readonly seq: number;
  readonly mail?: MailFacts;
  /** The reason of the dead letter that the message becomes; without it, the message is acknowledged. */
  readonly refusal?: { readonly reason: string; readonly detail: string };
  readonly actions: readonly PlannedAction[];
}
