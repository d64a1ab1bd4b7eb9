import type { Cause } from './cause.ts';
import type { OutgoingMail } from './outgoing.ts';
import type { ErrorFacts, ParentRef, PlainEvent } from '../workflow/plain-facts.ts';

export type { ErrorFacts, ParentRef, PlainEvent };

/** Everything that a workflow is between two steps. All of it is JSON and lies in its journal. */
export interface WorkflowState {
  /** Names this run of the machine: random for one that was started by hand, its call's effect id for a child. */
  readonly incarnation: string;
  readonly status: WorkflowStatus;
  /** How many causes this incarnation has taken; part of its effect ids. */
  readonly steps: number;
  /** XState's persisted snapshot; null when the first step failed. */
  readonly snapshot: unknown;
  readonly input?: unknown;
  readonly output?: unknown;
  readonly error?: ErrorFacts;
  readonly parent?: ParentRef;
  /** By XState's send id, or the effect id where there is none. */
  readonly timers: Readonly<Record<string, Timer>>;
  /** What the machine has invoked or spawned and waits for, by child id. */
  readonly calls: Readonly<Record<string, WorkflowCall>>;
  /** When its state last changed, ms since the epoch. */
  readonly since: number;
  /** It is FAILED: everything else is as it was before this step, which nobody but a person tries again or gives up. */
  readonly failed?: Failed;
}

/** The step that a workflow cannot get past. */
export interface Failed {
  /** When it failed last, ms since the epoch. */
  readonly at: number;
  /** What the step was caused by; nothing of it is used up. */
  readonly cause: Cause;
  readonly failure: StepFailure;
}

/** What a step threw, and where: `/home/ann/ship.ts:12:9`, the place of the machine's own code that threw it, if that is known. */
export type StepFailure = ErrorFacts & { readonly place?: string };

export type WorkflowStatus = 'active' | 'done' | 'error' | 'stopped';

export type Timer = {
  readonly effectId: string;
  readonly dueAt: number;
  /** XState's send id, where a later timer with the same one has taken the place by which `cancel` finds it. */
  readonly sendId?: string;
} & ({ readonly event: PlainEvent } | { readonly mail: OutgoingMail });

export type WorkflowCall = { readonly src: string; readonly effectId: string; readonly since: number } & (
  | { readonly kind: 'activity' | 'command'; readonly input?: unknown }
  | { readonly kind: 'ask'; readonly to: string; readonly questionId: string }
  | { readonly kind: 'machine'; readonly address: string; readonly systemId?: string }
);

/** How a workflow stands: a FAILED one is neither going on nor over. */
export function standingOf({ status, failed }: WorkflowState): WorkflowStatus | 'failed' {
  return failed ? 'failed' : status;
}

/** Whether the workflow still waits for this result: its call may be given up by now, or be another one of the same name. */
export function isAwaited(cause: Cause & { kind: 'result' }, state: WorkflowState | undefined): boolean {
  return state?.status === 'active' && state.calls[cause.call]?.effectId === cause.effectId;
}
