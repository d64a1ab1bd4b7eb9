import { findNonJson, withoutUndefined } from '../message/json-value.ts';
import { EVENT } from '../workflow/control.ts';
import { errorFacts, type ParentRef, type PlainEvent, thrownAsJson } from '../workflow/plain-facts.ts';

/** What a step was caused by, whole: `event` is what the machine was given. */
export type Cause =
  /** Started by hand, or by the parent's START with that message id. */
  | {
      readonly kind: 'start';
      readonly incarnation: string;
      readonly input?: unknown;
      readonly parent?: ParentRef;
      readonly mail?: MailFacts;
    }
  | { readonly kind: 'message'; readonly mail: MailFacts; readonly event: PlainEvent }
  /** The answer to an ask of this workflow. */
  | { readonly kind: 'answer'; readonly mail: MailFacts; readonly call: string; readonly event: PlainEvent }
  /** A child has ended. */
  | { readonly kind: 'ended'; readonly mail: MailFacts; readonly call: string; readonly event: PlainEvent }
  /** An event that one child sends to another, or to an ancestor of this workflow: it only passes through. */
  | { readonly kind: 'relay'; readonly mail: MailFacts; readonly to: string; readonly relayed: PlainEvent }
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
  const type = `xstate.done.actor.${childId}`;
  return output === undefined ? { type, actorId: childId } : { type, output, actorId: childId };
}

/** `error` is JSON: see `thrownAsJson`. */
export function errorEvent(childId: string, error: unknown): PlainEvent {
  const type = `xstate.error.actor.${childId}`;
  return error === undefined ? { type, actorId: childId } : { type, error, actorId: childId };
}

/** What a machine is told of how an activity or a command has ended. What JSON cannot keep is an error. */
export function resultEvent(
  childId: string,
  src: string,
  result: { readonly output: unknown } | { readonly error: unknown },
): PlainEvent {
  if ('error' in result) return errorEvent(childId, thrownAsJson(result.error));
  const { output } = result;
  const fault = output === undefined ? undefined : findNonJson(output, 'output');
  // A copy, as the input is one: what the activity still holds is no part of the state.
  if (fault === undefined) return doneEvent(childId, withoutUndefined(structuredClone(output)));
  const error = new TypeError(`"${src}" returned something at ${fault} that JSON cannot keep`);
  return errorEvent(childId, errorFacts(error));
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

/**
 * Whether a child's incarnation was started before another one, by the same run of their parent: an incarnation is the effect
 * id of its start, `<the parent's incarnation>.<step>.<effect>`.
 */
export function isStartedBefore(one: string, other: string): boolean {
  const [first, second] = [placeOf(one), placeOf(other)];
  if (!first || !second || first.run !== second.run) return false;
  return first.step === second.step ? first.effect < second.effect : first.step < second.step;
}

function placeOf(incarnation: string): { run: string; step: number; effect: number } | undefined {
  const [, run, step, effect] = /^(.+)\.(\d+)\.(\d+)$/.exec(incarnation) ?? [];
  return run === undefined ? undefined : { run, step: Number(step), effect: Number(effect) };
}
