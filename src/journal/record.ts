import type { ProcessIdentity } from '../host/processes.ts';
import type { PlannedAction, PlannedLog } from '../step/plan-effects.ts';
import type { Cause, MailFacts } from '../step/cause.ts';
import type { ErrorFacts, BlockingStep, PlainEvent, StepFailure, WorkflowState } from '../step/workflow-state.ts';

/** The newest format of the bodies below that this version knows; a journal with a newer one is refused. */
export const JOURNAL_VERSION = 2;

/**
 * The format that whoever goes on from this state has to know: 2 where it is FAILED, which format 1 has no words for. Everything
 * else is in both the same, so that an older version still reads it.
 */
export function formatOf(state: WorkflowState | undefined): number {
  return state?.failed ? JOURNAL_VERSION : 1;
}

export function isKnownFormat(v: number): boolean {
  return Number.isInteger(v) && v >= 1 && v <= JOURNAL_VERSION;
}

/**
 * What a record of a journal says. The chain file around it gives each its `seq`, and decides which of them count.
 */
export type JournalBody =
  | { readonly open: OpenRecord }
  | { readonly commit: CommitRecord }
  | { readonly failed: FailedRecord }
  | { readonly note: NoteRecord }
  | { readonly performed: PerformedRecord };

/** A host has taken the workflow; from here on every other one is fenced. */
export interface OpenRecord {
  readonly v: number;
  /** Ms since the epoch. */
  readonly at: number;
  readonly process: ProcessIdentity;
  /** Which machine it runs: its id, the hash of its code, and where it was loaded from, if that is known. */
  readonly machine: MachineRef;
}

export interface MachineRef {
  readonly id: string;
  readonly hash: string;
  /** Absolute path of the file whose export `machine` (or default) it is. */
  readonly file?: string;
}

/** A step. At the record the step is true, and everything it asks for will be done. */
export interface CommitRecord {
  readonly at: number;
  readonly cause: Cause;
  /** `failed`: the step threw; the state is the one before, without what the cause used up, or the workflow has ended by it. */
  readonly verdict: 'stepped' | 'unhandled' | 'failed';
  readonly failure?: StepFailure;
  readonly state: WorkflowState;
  /** Messages made and signed once, never derived again. */
  readonly outbox: readonly OutboxEntry[];
  readonly actions: readonly PlannedAction[];
  readonly logs: readonly PlannedLog[];
  readonly emitted: readonly PlainEvent[];
  /** See `StepResult`; only where the machine asked. */
  readonly kin?: Readonly<Record<string, boolean>>;
  readonly progress: Progress;
}

/**
 * A step that the workflow cannot get past: from here on it is FAILED. The state stays as it was before, with the timer, call or
 * message that the step was caused by; all it waits for waits on. The next commit is the same cause once more, or a stop.
 */
export interface FailedRecord extends BlockingStep {
  /** As in a commit. */
  readonly kin?: Readonly<Record<string, boolean>>;
  readonly progress: Progress;
}

/** A message that changed nothing: refused (it is a dead letter), or too late (it is acknowledged). */
export interface NoteRecord {
  readonly at: number;
  readonly mail: MailFacts;
  readonly verdict: 'refused' | 'late';
  /** The reason of the dead letter. */
  readonly reason?: string;
  readonly detail: string;
  readonly progress: Progress;
}

/** Written when there is nothing else to do, so that the next host has nothing to repeat. */
export interface PerformedRecord {
  readonly at: number;
  readonly progress: Progress;
  /** Whether the host has left in good order: then no message killed it. */
  readonly isClosing?: true;
}

/** How far the consequences of earlier records are done and on the disk. */
export interface Progress {
  /** Mail of all records up to this seq is moved to its place, and their actions are run. */
  readonly performed: number;
  /** Outgoing messages that reached their end since the last record: the ids of delivered, refused or purged ones. */
  readonly delivered: readonly string[];
  /** Calls with `onCrash: 'fail'` that are about to be started: effect ids. */
  readonly started: readonly string[];
}

export interface OutboxEntry {
  readonly id: string;
  readonly effectId: string;
  /** As signed: addresses, or `all`. */
  readonly to: readonly string[];
  /** Who a broadcast goes to. */
  readonly recipients?: readonly string[];
  /** Between a workflow and its children: not counted against the rate limit. */
  readonly isControl?: true;
  /** The child id of the ask whose question it is. */
  readonly ask?: string;
  /** The whole message file, as text. */
  readonly file?: string;
  /** For an END: why its output could not be sent; `file` says that instead. */
  readonly withoutOutput?: ErrorFacts;
  /** Why it could not even be made (too large, not JSON …): it is refused for good. */
  readonly refusal?: ErrorFacts;
  readonly type: string;
  readonly content: string;
}

/** What opens a new segment: the state of the journal so far. */
export interface Carried {
  readonly v: number;
  readonly open: OpenRecord;
  /** The writer of that record. */
  readonly openedBy: string;
  readonly state?: WorkflowState;
  readonly performed: number;
  /** Records above `performed`, with their seq. */
  readonly unperformed: readonly Unperformed[];
  readonly undelivered: readonly OutboxEntry[];
  readonly started: readonly string[];
}

/** What is left to do of a record: move its message, run its actions. */
export interface Unperformed {
  readonly seq: number;
  readonly mail?: MailFacts;
  /** What becomes of the message: acknowledged, or a dead letter with this reason. */
  readonly refusal?: { readonly reason: string; readonly detail: string };
  readonly actions: readonly PlannedAction[];
}
