import { inspect } from 'node:util';
import type { OutgoingMail } from './outgoing-mail.ts';

/** Everything that a workflow is between two steps. All of it is JSON and lies in its journal. */
export interface WorkflowState {
  /** Names this run of the machine: random for one that was started by hand, its call's effect id for a child. */
  readonly incarnation: string;
  readonly status: WorkflowStatus;
  /** How many causes this incarnation has taken; part of its effect ids. */
  readonly steps: number;
  /** XState's persisted snapshot; null when the first step failed. */
  readonly snapshot: unknown;
  readonly input: unknown;
  readonly output?: unknown;
  readonly error?: ErrorFacts;
  readonly parent?: ParentRef;
  /** By XState's send id, or the effect id where there is none. */
  readonly timers: Readonly<Record<string, Timer>>;
  /** What the machine has invoked or spawned and waits for, by child id. */
  readonly calls: Readonly<Record<string, WorkflowCall>>;
  /** When its state last changed, ms since the epoch. */
  readonly since: number;
}

export type WorkflowStatus = 'active' | 'done' | 'error' | 'stopped';

export interface ParentRef {
  readonly address: string;
  readonly childId: string;
  /** The name of the child's logic among the parent's actors. */
  readonly src: string;
}

export type Timer = { readonly effectId: string; readonly dueAt: number } & (
  { readonly event: PlainEvent } | { readonly mail: OutgoingMail }
);

/** An event of XState that is JSON. */
export type PlainEvent = { readonly type: string } & Readonly<Record<string, unknown>>;

export type WorkflowCall = { readonly src: string; readonly effectId: string; readonly since: number } & (
  | { readonly kind: 'activity' | 'command'; readonly input: unknown }
  | { readonly kind: 'ask'; readonly to: string; readonly questionId: string }
  | { readonly kind: 'machine'; readonly address: string; readonly systemId?: string }
);

/** An error as it survives JSON. */
export interface ErrorFacts {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
}

export function errorFacts(error: unknown): ErrorFacts {
  if (typeof error !== 'object' || error === null) return { name: 'Error', message: String(error) };
  const { name, message, code } = error as { name?: unknown; message?: unknown; code?: unknown };
  return {
    name: typeof name === 'string' ? name : 'Error',
    message: typeof message === 'string' ? message : inspect(error, { breakLength: Infinity }),
    ...(typeof code === 'string' ? { code } : {}),
  };
}
