import {
  type ActionArgs,
  type ActionFunction,
  type ActorRef,
  type EventObject,
  type MachineContext,
  type ParameterizedObject,
  sendTo,
  type Snapshot,
} from 'xstate';
import { InvalidInput } from '../errors.ts';
import { EVERYONE } from '../message/address.ts';
import type { Draft } from '../room/draft.ts';

/** One mark for every copy of this package that a process may load. */
const TELL_ARGUMENTS = Symbol.for('mailroom.told');

type Params = ParameterizedObject['params'] | undefined;

/** A value, or how to get it from context, event and params. */
type ValueOrExpression<
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

/** When `tell` or `broadcast` sends a message. */
export interface TellOptions {
  /** How long after the step the message is sent, in ms. Default: 0. */
  readonly delay?: number;
  /** The id with which `cancel(id)` takes back a delayed message. Default: none. */
  readonly id?: string;
}

/**
 * An action that sends a message. It is sent after the step is committed, exactly once, under the workflow's own key, and
 * waits for the rate limit. A message that can never be delivered causes the event `mailroom.delivery-failed`.
 *
 * @param to One address or several, or how to get them from context, event and params.
 * @param message The message, or how to make it from context, event and params.
 *
 * @example
 * ```ts
 * import { tell } from 'agent-mailroom/workflow';
 * import { setup } from 'xstate';
 *
 * export const machine = setup({ types: { context: {} as { reviewers: string[] } } }).createMachine({
 *   id: 'announcer',
 *   context: { reviewers: ['alice', 'bob'] },
 *   entry: tell(({ context }) => context.reviewers, { type: 'REVIEW-REQUEST', content: 'Please review add-port.' }),
 * });
 * ```
 */
export function tell<
  TContext extends MachineContext,
  TExpressionEvent extends EventObject,
  TParams extends Params,
  TEvent extends EventObject,
>(
  to: ValueOrExpression<string | readonly string[], TContext, TExpressionEvent, TParams, TEvent>,
  message: ValueOrExpression<Outgoing, TContext, TExpressionEvent, TParams, TEvent>,
  options: TellOptions = {},
): MailAction<TContext, TExpressionEvent, TParams, TEvent> {
  const send = sendTo<TContext, TExpressionEvent, TParams, MailRef, TEvent>(
    (args, params) => mailRef(typeof to === 'function' ? to(args, params) : to),
    (args, params) => mailEvent(typeof message === 'function' ? message(args, params) : message),
    options,
  );
  return Object.assign(send, { [TELL_ARGUMENTS]: { to, message, options } });
}

/** The arguments that `tell`, `broadcast` or `reply` was given; undefined for any other function. */
export function tellArgumentsOf(implementation: unknown): object | undefined {
  if (typeof implementation !== 'function' || !(TELL_ARGUMENTS in implementation)) return undefined;
  return implementation[TELL_ARGUMENTS] as object;
}

/**
 * An action that sends a message to every joined actor that takes broadcasts. It counts once against the rate limit.
 *
 * @param message The message, or how to make it from context, event and params.
 */
export function broadcast<
  TContext extends MachineContext,
  TExpressionEvent extends EventObject,
  TParams extends Params,
  TEvent extends EventObject,
>(
  message: ValueOrExpression<Outgoing, TContext, TExpressionEvent, TParams, TEvent>,
  options: TellOptions = {},
): MailAction<TContext, TExpressionEvent, TParams, TEvent> {
  return tell(EVERYONE, message, options);
}

/**
 * An action that answers the message that caused the step: to its sender, in its thread. The step fails if no message caused
 * it, but a timer, a result or the start.
 *
 * @param message The message, or how to make it from context, event and params.
 */
export function reply<
  TContext extends MachineContext,
  TExpressionEvent extends EventObject,
  TParams extends Params,
  TEvent extends EventObject,
>(
  message: ValueOrExpression<Omit<Outgoing, 'replyTo' | 'threadId'>, TContext, TExpressionEvent, TParams, TEvent>,
): MailAction<TContext, TExpressionEvent, TParams, TEvent> {
  return tell(REPLY_RECIPIENT, message);
}

function mailEvent(message: Outgoing): OutgoingMailEvent {
  return { type: MAIL_EVENT, message };
}

/** One mark for every copy of this package that a process may load. */
const ADDRESS = Symbol.for('mailroom.mail-ref');
/** The recipient that `reply` gives: the sender of the message that caused the step. No actor can have this address. */
export const REPLY_RECIPIENT = '@reply';
/** The type of the event that carries outgoing mail to the pure step. Such an event is never delivered. */
export const MAIL_EVENT = 'mailroom.mail';

export interface OutgoingMailEvent extends EventObject {
  readonly type: typeof MAIL_EVENT;
  readonly message: Outgoing;
}

/** An actor reference that stands for an address. It does nothing itself: what is sent to it becomes an effect of the step. */
export interface MailRef extends ActorRef<Snapshot<unknown>, OutgoingMailEvent> {
  readonly [ADDRESS]: readonly string[];
}

export function mailRef(to: string | readonly string[]): MailRef {
  const addresses: unknown = typeof to === 'string' ? [to] : to;
  if (!isTexts(addresses)) {
    throw new InvalidInput(
      `The recipient of a message is ${kindOf(addresses)}: expected an address or a list of addresses.`,
      {
        hint: 'For example tell("alice", …), or tell(({ context }) => context.reviewers, …).',
      },
    );
  }
  const id = addresses.join(',');
  const inert = {
    [ADDRESS]: addresses,
    id,
    sessionId: id,
    ref: undefined,
    send: () => {
      throw new TypeError(`${id} is an address: use the action tell() to send to it`);
    },
    getSnapshot: () => {
      throw new InvalidInput(`A machine read the snapshot of ${id}, which a durable step cannot see.`, {
        hint: `Have ${id} send what the machine needs, as an event or as mail.`,
      });
    },
    toJSON: () => ({ address: id }),
  };
  // It has only the members that a step touches; XState itself never runs it.
  return inert as unknown as MailRef;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function kindOf(value: unknown): string {
  const wrong: unknown = Array.isArray(value) ? value.find((one) => typeof one !== 'string') : value;
  const kind = wrong === null ? 'null' : typeof wrong;
  return Array.isArray(value) ? `a list with ${kind} in it` : kind;
}

/** The addresses of a reference made by `mailRef`; undefined for any other value. */
export function addressesOf(ref: unknown): readonly string[] | undefined {
  return typeof ref === 'object' && ref !== null && ADDRESS in ref ? (ref as MailRef)[ADDRESS] : undefined;
}

/** A message that a machine sends. Id, time and sender are added when the step is committed. */
export type Outgoing = Omit<Draft, 'id' | 'durability'>;
