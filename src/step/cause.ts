import { findNonJson, withoutUndefined } from '../message/json-value.ts';
import { EVENT } from '../workflow/control.ts';
import { type ParentRef, type PlainEvent, thrownAsJson } from '../workflow/plain-facts.ts';
import { errorFacts } from '../errors.ts';

/** What caused a step, complete: `event` is what the machine got. */
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
  /** An event from one child to another, or to an ancestor of this workflow, which only forwards it. */
  | { readonly kind: 'relay'; readonly mail: MailFacts; readonly to: string; readonly relayed: PlainEvent }
  /** Stopped by a message, or by a new run of a FAILED workflow. */
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
  /** A message of this workflow can never be delivered; `call` if it was the question of an ask. */
  | {
      readonly kind: 'undelivered';
      readonly messageId: string;
      readonly to: string;
      readonly call?: string;
      readonly event: PlainEvent;
    };

/** A message's fields; the sender is verified. */
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

/** The event with which a machine gets the result of an activity or a command. An output that is not JSON becomes an error. */
export function resultEvent(
  childId: string,
  src: string,
  result: { readonly output: unknown } | { readonly error: unknown },
): PlainEvent {
  if ('error' in result) return errorEvent(childId, thrownAsJson(result.error));
  const { output } = result;
  const fault = output === undefined ? undefined : findNonJson(output, 'output');
  // A copy, like the input: the activity may still hold the original, which is not part of the state.
  if (fault === undefined) return doneEvent(childId, withoutUndefined(structuredClone(output)));
  const error = new TypeError(`"${src}" returned something at ${fault} that JSON cannot represent`);
  return errorEvent(childId, errorFacts(error));
}

/** The cause that stops a run when no message asks for it. */
export const GIVEN_UP: Cause = { kind: 'stop', event: { type: 'xstate.stop' } };

/**
 * Whether the workflow can resume without this cause: a message, whose sender finds a dead letter and may send it again. A
 * timer, a result, an answer or mail between a parent and its children is never repeated.
 */
export function isDispensable(cause: Cause): boolean {
  return cause.kind === 'message' && cause.mail.type !== EVENT;
}

/**
 * Whether one incarnation of a child was started before another, by the same run of the parent. An incarnation is the effect id
 * of its start: `<the parent's incarnation>.<step>.<effect>`.
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
