import type { Cause } from './cause.ts';
import type { AddressedDraft } from './outgoing.ts';
import type { ParentRef, PlainEvent } from '../workflow/plain-facts.ts';
import type { ErrorFacts } from '../errors.ts';

export type { ErrorFacts, ParentRef, PlainEvent };

/** The whole state of a workflow between two steps. It is JSON and is stored in the journal. */
export interface WorkflowState {
  /** The id of this run of the machine: random if started by hand, the effect id of its call for a child. */
  readonly incarnation: string;
  /** The status of the machine. A FAILED workflow is `active` and has `failed`. */
  readonly status: WorkflowStatus;
  /** How many causes this run has processed; part of its effect ids. */
  readonly steps: number;
  /** XState's persisted snapshot; null if the first step failed. */
  readonly snapshot: unknown;
  /** The machine's input. */
  readonly input?: unknown;
  /** The machine's output, if it is done. */
  readonly output?: unknown;
  /** The machine's error, if it ended with one. */
  readonly error?: ErrorFacts;
  /** The workflow that started this one, for a child. */
  readonly parent?: ParentRef;
  /** The pending timers, by XState's send id, or by the effect id if there is none. */
  readonly timers: Readonly<Record<string, Timer>>;
  /** The invoked or spawned work that the machine waits for, by child id. */
  readonly calls: Readonly<Record<string, WorkflowCall>>;
  /** When the state last changed, in ms since the epoch. */
  readonly since: number;
  /** Set while the workflow is FAILED. Everything else is as before this step, which only a person can retry or give up. */
  readonly failed?: BlockingStep;
}

/** The step that blocks a FAILED workflow. */
export interface BlockingStep {
  /** When the step last failed, in ms since the epoch. */
  readonly at: number;
  /** The cause of the step; nothing of it is consumed. */
  readonly cause: Cause;
  readonly failure: StepFailure;
}

/** What a step threw, and if known the place in the machine's own code that threw it, such as `/home/ann/ship.ts:12:9`. */
export type StepFailure = ErrorFacts & { readonly place?: string };

/** The status of a machine. */
export type WorkflowStatus = 'active' | 'done' | 'error' | 'stopped';

export type Timer = {
  readonly effectId: string;
  readonly dueAt: number;
  /** XState's send id, kept after a later timer with the same id has taken the name by which `cancel` finds a timer. */
  readonly sendId?: string;
} & ({ readonly event: PlainEvent } | { readonly mail: AddressedDraft });

export type WorkflowCall = { readonly src: string; readonly effectId: string; readonly since: number } & (
  | { readonly kind: 'activity' | 'command'; readonly input?: unknown }
  | { readonly kind: 'ask'; readonly to: string; readonly questionId: string }
  | { readonly kind: 'machine'; readonly address: string; readonly systemId?: string }
);

/** The status of a workflow, or `failed`: a FAILED workflow neither runs nor has ended. */
export function standingOf({ status, failed }: WorkflowState): WorkflowStatus | 'failed' {
  return failed ? 'failed' : status;
}

/** Whether the workflow still waits for this result: its call may have been given up, or replaced by one of the same name. */
export function isAwaited(cause: Cause & { kind: 'result' }, state: WorkflowState | undefined): boolean {
  return state?.status === 'active' && state.calls[cause.call]?.effectId === cause.effectId;
}
