import { EVENT } from './control.ts';
import type { ErrorFacts, ParentRef, PlainEvent } from './plain-facts.ts';

/** What a step was caused by, whole: `event` is what the machine was given. */
export type Cause =
  /** Started by hand, or by the parent's START with that message id. */
  | {
      readonly kind: 'start';
      readonly incarnation: string;
      readonly input: unknown;
      readonly parent?: ParentRef;
      readonly mail?: MailFacts;
    }
  | { readonly kind: 'message'; readonly mail: MailFacts; readonly event: PlainEvent }
  /** The answer to an ask of this workflow. */
  | { readonly kind: 'answer'; readonly mail: MailFacts; readonly call: string; readonly event: PlainEvent }
  /** A child has ended. */
  | { readonly kind: 'ended'; readonly mail: MailFacts; readonly call: string; readonly event: PlainEvent }
  /** Stopped by a message, or by whoever begins a FAILED workflow anew. */
  | { readonly kind: 'stop'; readonly mail?: MailFacts; readonly event: PlainEvent }
  | { readonly kind: 'timer'; readonly timer: string; readonly dueAt: number; readonly event?: PlainEvent }
  /** An activity or command has a result. */
  | {
      readonly kind: 'result';
      readonly call: string;
      readonly src: string;
      readonly effectId: string;
      readonly event: PlainEvent;
    }
  /** A message of this workflow can never be delivered; `call` when it was the question of an ask. */
  | {
      readonly kind: 'undelivered';
      readonly messageId: string;
      readonly to: string;
      readonly call?: string;
      readonly event: PlainEvent;
    };

/** Which message it was, and who verifiably sent it. */
export interface MailFacts {
  readonly id: string;
  readonly from: string;
  readonly type: string;
  readonly content?: string;
  readonly threadId?: string;
}

export function doneEvent(childId: string, output: unknown): PlainEvent {
  return { type: `xstate.done.actor.${childId}`, output: output ?? null, actorId: childId };
}

export function errorEvent(childId: string, error: ErrorFacts): PlainEvent {
  return { type: `xstate.error.actor.${childId}`, error, actorId: childId };
}

/** The cause of giving up what runs, where no message asks for it. */
export const GIVEN_UP: Cause = { kind: 'stop', event: { type: 'xstate.stop' } };

/**
 * Whether the workflow can go on without this cause: its sender finds a dead letter, and may send another. Nobody would ever
 * repeat a timer, a result, an answer, or what a parent and its children tell each other.
 */
export function isDispensable(cause: Cause): boolean {
  return cause.kind === 'message' && cause.mail.type !== EVENT;
}
