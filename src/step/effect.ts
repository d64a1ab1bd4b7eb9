import { inspect } from 'node:util';
import type { AnyActorRef, AnyStateMachine } from 'xstate';
import { InvalidInput } from '../errors.ts';
import { findNonJson, withoutUndefined } from '../message/json-value.ts';
import { nearest } from '../message/nearest.ts';
import { addressesOf, REPLY_RECIPIENT, MAIL_EVENT, type OutgoingMailEvent, type Outgoing } from '../workflow/send.ts';
import type { PlainEvent } from './workflow-state.ts';

/** An action as XState hands it over for execution. */
export interface ExecutedAction {
  readonly type: string;
  readonly params?: unknown;
  readonly exec?: unknown;
}

/** The step that an action comes from. */
interface ActionSource {
  readonly self: unknown;
  /** The parent's address. */
  readonly parent: string | undefined;
  readonly machine: AnyStateMachine;
}

interface SendParams {
  readonly to: unknown;
  readonly event: PlainEvent;
  readonly delay?: number;
  readonly id?: string;
}

/** The effect of an action; undefined if the step has already applied it. Throws InvalidInput if the action cannot be durable. */
export function effectOf(action: ExecutedAction, source: ActionSource): Effect | undefined {
  switch (action.type) {
    case 'xstate.sendTo':
      return sendEffect(action.params as SendParams, source);
    case 'xstate.raise': {
      const { event, delay, id } = action.params as Omit<SendParams, 'to'>;
      // Without a delay, the event was applied in the same step.
      return delay === undefined
        ? undefined
        : { kind: 'raise', event: plain(event, source), delayMs: wait(delay, source), ...sendIdOf(id) };
    }
    case 'xstate.cancel':
      return {
        kind: 'cancel',
        sendId: String((action.params as { sendId?: unknown } | undefined)?.sendId ?? action.params),
      };
    case 'xstate.spawnChild':
      return startEffect(action.params, source);
    case 'xstate.stopChild': {
      const ref = action.params as AnyActorRef | undefined;
      const [other] = addressesOf(ref) ?? [];
      if (other !== undefined) throw notItsChild(other, source);
      return ref && { kind: 'stop', childId: ref.id };
    }
    case 'xstate.emit':
      return { kind: 'emit', event: plain((action.params as { event: PlainEvent }).event, source) };
    case 'xstate.log': {
      const { label, value } = action.params as { label?: string; value: unknown };
      return { kind: 'log', value: jsonOr(value), ...(label === undefined ? {} : { label }) };
    }
    default:
      return action.type.startsWith('xstate.') ? undefined : customEffect(action, source);
  }
}

function sendEffect({ to, event, delay, id }: SendParams, source: ActionSource): Effect {
  const delayMs = delay === undefined ? undefined : wait(delay, source);
  const delayed: Delayed = delayMs === undefined ? {} : { delayMs, ...sendIdOf(id) };
  if (to === source.self) return { kind: 'raise', event: plain(event, source), delayMs: delayMs ?? 0, ...sendIdOf(id) };
  const addresses = addressesOf(to);
  if (event.type === MAIL_EVENT && addresses) {
    const { message } = event as unknown as OutgoingMailEvent;
    return addresses[0] === REPLY_RECIPIENT
      ? { kind: 'reply', message, ...delayed }
      : { kind: 'mail', to: addresses, message, ...delayed };
  }
  return { kind: 'event', to: targetOf(to, source), event: plain(event, source), ...delayed };
}

function targetOf(to: unknown, { parent }: ActionSource): EventTarget {
  const [address] = addressesOf(to) ?? [];
  if (address === undefined) return { childId: (to as AnyActorRef).id };
  return address === parent ? { parent: true } : { systemId: address };
}

function startEffect(params: unknown, { machine }: ActionSource): Effect {
  const { actorRef, src, input, systemId } = params as {
    actorRef?: AnyActorRef;
    src: unknown;
    input?: unknown;
    systemId?: string;
    id?: unknown;
  };
  if (typeof src !== 'string' || !actorRef) {
    throw new InvalidInput(
      `The machine ${machine.id} starts a child from ${typeof src === 'string' ? `"${src}", which is not among its actors` : 'inline logic'}.`,
      {
        hint: 'Name it under actors in setup(), and use that name as src.',
      },
    );
  }
  if ((params as { id?: unknown }).id === undefined) {
    throw new InvalidInput(
      `The machine ${machine.id} spawns "${src}" without an id, so its id would change at each restart.`,
      {
        hint: `Write spawnChild('${src}', { id: '…' }).`,
      },
    );
  }
  const fault = input === undefined ? undefined : findNonJson(input, 'input');
  if (fault) throw notJson(machine, `gave "${src}" something at ${fault}`);
  return {
    kind: 'start',
    childId: actorRef.id,
    src,
    input: withoutUndefined(input),
    ...(systemId === undefined ? {} : { systemId }),
  };
}

function customEffect({ type, params, exec }: ExecutedAction, { machine }: ActionSource): Effect {
  const { actions } = machine.implementations;
  if (!exec && !(type in actions)) {
    const near = nearest(type, Object.keys(actions));
    throw new InvalidInput(`The machine ${machine.id} runs the action "${type}", which is not among its actions.`, {
      hint: near ? `Did you mean ${near}?` : 'Name it under actions in setup().',
    });
  }
  if (type === '(anonymous)' || !exec || !(type in actions)) {
    throw new InvalidInput(
      `The machine ${machine.id} has the inline action ${JSON.stringify(type)}, which a restart cannot find again.`,
      {
        hint: `Name it under actions in setup(), as action((params, { effectId }) => …).`,
      },
    );
  }
  const fault = params === undefined ? undefined : findNonJson(params, 'params');
  if (fault) throw notJson(machine, `gave the action ${type} something at ${fault}`);
  return { kind: 'action', type, params: withoutUndefined(params) };
}

/** Longer than any sensible timer, and far below the largest time that a Date can hold. */
const DELAY_MS_MAX = 100 * 365 * 86_400_000;

/** A delay that the journal can hold: NaN and Infinity would become null there, and be due at once after a restart. */
function wait(delayMs: unknown, { machine }: ActionSource): number {
  if (typeof delayMs === 'number' && Number.isFinite(delayMs) && delayMs <= DELAY_MS_MAX) return delayMs;
  throw new InvalidInput(
    `The machine ${machine.id} has the delay ${inspect(delayMs)}: expected ms, at most ${DELAY_MS_MAX} (a hundred years).`,
    { hint: 'For a transition that must never happen, use a guard.' },
  );
}

function plain(event: PlainEvent, { machine }: ActionSource): PlainEvent {
  const fault = findNonJson(event, event.type);
  if (fault) throw notJson(machine, `sent something at ${fault}`);
  return withoutUndefined(event);
}

function notJson(machine: AnyStateMachine, what: string): InvalidInput {
  return new InvalidInput(`The machine ${machine.id} ${what} that JSON cannot represent.`, {
    hint: 'Use text, numbers, true/false, null, arrays and plain objects.',
  });
}

function jsonOr(value: unknown): unknown {
  if (value === undefined || findNonJson(value) === undefined) return value ?? null;
  return value instanceof Error ? value.message : inspect(value);
}

function notItsChild(address: string, { machine }: ActionSource): InvalidInput {
  return new InvalidInput(`The machine ${machine.id} stops ${address}, which is not its child.`, {
    hint: 'Only a parent can stop a child: send the other workflow an event on which it ends by itself.',
  });
}

function sendIdOf(id: string | undefined): { sendId?: string } {
  return id === undefined ? {} : { sendId: id };
}

/**
 * What a step asks for, as data. `delayMs` is how long after the step it happens, in ms (default: 0), and `sendId` the id with
 * which XState's `cancel` takes a delayed one back.
 */
export type Effect =
  /** A message to the addresses in `to`. */
  | {
      readonly kind: 'mail';
      readonly to: readonly string[];
      readonly message: Outgoing;
      readonly delayMs?: number;
      readonly sendId?: string;
    }
  /** A message to the sender of the message that caused the step. */
  | { readonly kind: 'reply'; readonly message: Outgoing; readonly delayMs?: number; readonly sendId?: string }
  /** An event of XState to the parent or a child. */
  | {
      readonly kind: 'event';
      readonly to: EventTarget;
      readonly event: PlainEvent;
      readonly delayMs?: number;
      readonly sendId?: string;
    }
  /** A delayed event of the machine to itself. */
  | { readonly kind: 'raise'; readonly event: PlainEvent; readonly delayMs: number; readonly sendId?: string }
  /** Takes back what is delayed under `sendId`. */
  | { readonly kind: 'cancel'; readonly sendId: string }
  /** Starts the child `childId`: `src` is the name of its logic among the machine's actors. */
  | {
      readonly kind: 'start';
      readonly childId: string;
      readonly src: string;
      readonly input?: unknown;
      readonly systemId?: string;
    }
  /** Stops the child `childId`. */
  | { readonly kind: 'stop'; readonly childId: string }
  /** Runs the custom action `type` with its `params`. */
  | { readonly kind: 'action'; readonly type: string; readonly params?: unknown }
  /** Writes `value` to the log. */
  | { readonly kind: 'log'; readonly label?: string; readonly value: unknown }
  /** Emits an event to the listeners of the host. */
  | { readonly kind: 'emit'; readonly event: PlainEvent };

/** The parent, or a child by its id or system id. */
export type EventTarget = { readonly parent: true } | { readonly childId: string } | { readonly systemId: string };

export interface Delayed {
  readonly delayMs?: number;
  readonly sendId?: string;
}
