import {
  sendTo,
  type ActionArgs,
  type ActionFunction,
  type EventObject,
  type MachineContext,
  type ParameterizedObject,
} from 'xstate';
import { EVERYONE } from '../message/address.ts';
import { ASKER, MAIL_EVENT, mailRef, type MailEvent, type MailRef } from './mail-ref.ts';
import type { Outgoing } from './outgoing.ts';

/** One mark for every copy of this package that a process may load. */
const TOLD = Symbol.for('mailroom.told');

type Params = ParameterizedObject['params'] | undefined;

/** A value, or how to get it from context, event and params. */
type Told<
  TValue,
  TContext extends MachineContext,
  TExpressionEvent extends EventObject,
  TParams extends Params,
  TEvent extends EventObject,
> = TValue | ((args: ActionArgs<TContext, TExpressionEvent, TEvent>, params: TParams) => TValue);

/** An action that sends mail, wherever XState takes an action. */
type MailAction<
  TContext extends MachineContext,
  TExpressionEvent extends EventObject,
  TParams extends Params,
  TEvent extends EventObject,
> = ActionFunction<TContext, TExpressionEvent, TEvent, TParams, never, never, never, never, never>;

export interface TellOptions {
  /** Ms after the step at which it goes out. */
  readonly delay?: number;
  /** By which `cancel(id)` takes it back until then. */
  readonly id?: string;
}

/**
 * An action that sends a message to an address, or to several. It leaves only after the step is committed, exactly once,
 * under the workflow's own key, and is paced by the rate limit. What can never be delivered comes back as the event
 * `mailroom.delivery-failed`.
 */
export function tell<
  TContext extends MachineContext,
  TExpressionEvent extends EventObject,
  TParams extends Params,
  TEvent extends EventObject,
>(
  to: Told<string | readonly string[], TContext, TExpressionEvent, TParams, TEvent>,
  message: Told<Outgoing, TContext, TExpressionEvent, TParams, TEvent>,
  options: TellOptions = {},
): MailAction<TContext, TExpressionEvent, TParams, TEvent> {
  const send = sendTo<TContext, TExpressionEvent, TParams, MailRef, TEvent>(
    (args, params) => mailRef(typeof to === 'function' ? to(args, params) : to),
    (args, params) => mailEvent(typeof message === 'function' ? message(args, params) : message),
    options,
  );
  return Object.assign(send, { [TOLD]: { to, message, options } });
}

/** What was given to `tell`, `broadcast` or `reply`; undefined for any other function. */
export function toldOf(implementation: unknown): object | undefined {
  if (typeof implementation !== 'function' || !(TOLD in implementation)) return undefined;
  return implementation[TOLD] as object;
}

/** An action that sends a message to every joined agent; it counts once against the rate limit. */
export function broadcast<
  TContext extends MachineContext,
  TExpressionEvent extends EventObject,
  TParams extends Params,
  TEvent extends EventObject,
>(
  message: Told<Outgoing, TContext, TExpressionEvent, TParams, TEvent>,
  options: TellOptions = {},
): MailAction<TContext, TExpressionEvent, TParams, TEvent> {
  return tell(EVERYONE, message, options);
}

/**
 * An action that answers the message that caused this step: to its sender, in its thread. In a step that a timer, an
 * activity or the start caused there is nobody to answer, and the step fails.
 */
export function reply<
  TContext extends MachineContext,
  TExpressionEvent extends EventObject,
  TParams extends Params,
  TEvent extends EventObject,
>(
  message: Told<Omit<Outgoing, 'replyTo' | 'threadId'>, TContext, TExpressionEvent, TParams, TEvent>,
): MailAction<TContext, TExpressionEvent, TParams, TEvent> {
  return tell(ASKER, message);
}

function mailEvent(message: Outgoing): MailEvent {
  return { type: MAIL_EVENT, message };
}
