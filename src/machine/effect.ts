import type { Outgoing } from './outgoing.ts';
import type { PlainEvent } from './workflow-state.ts';

/** What a step asks for, as data, in the order in which the machine asked. */
export type Effect =
  | ({ readonly kind: 'mail'; readonly to: readonly string[]; readonly message: Outgoing } & Delayed)
  | ({ readonly kind: 'reply'; readonly message: Outgoing } & Delayed)
  /** An event of XState to the parent or a child. */
  | ({ readonly kind: 'event'; readonly to: EventTarget; readonly event: PlainEvent } & Delayed)
  /** An event to itself, after a while. */
  | { readonly kind: 'raise'; readonly event: PlainEvent; readonly delayMs: number; readonly sendId?: string }
  | { readonly kind: 'cancel'; readonly sendId: string }
  | {
      readonly kind: 'start';
      readonly childId: string;
      readonly src: string;
      readonly input?: unknown;
      readonly systemId?: string;
    }
  | { readonly kind: 'stop'; readonly childId: string }
  | { readonly kind: 'action'; readonly type: string; readonly params?: unknown }
  | { readonly kind: 'log'; readonly label?: string; readonly value: unknown }
  | { readonly kind: 'emit'; readonly event: PlainEvent };

export type EventTarget = { readonly parent: true } | { readonly childId: string } | { readonly systemId: string };

export interface Delayed {
  readonly delayMs?: number;
  readonly sendId?: string;
}
