import type { StateValue } from 'xstate';
import { EVERYONE } from '../message/address.ts';
import { addressesOf, ASKER, MAIL_EVENT } from './mail-ref.ts';

/** What XState makes of an action: a name with params, a builtin action (a function with these fields), or a function. */
interface AnyAction {
  readonly type?: string;
  readonly name?: string;
  readonly to?: unknown;
  readonly event?: unknown;
  readonly src?: unknown;
  readonly sendId?: unknown;
  readonly actorRef?: unknown;
}

interface AnyGuard {
  readonly type?: string;
  readonly name?: string;
  readonly check?: unknown;
  readonly guards?: readonly unknown[];
  readonly stateValue?: unknown;
}

const BUILTIN = 'xstate.';
/** The names that a function has which was written in place, after the property that holds it. */
const NAMES_OF_NAMELESS = new Set(['', 'actions', 'entry', 'exit', 'guard']);

/** An action in a few words, as in `tell reviewer REVIEW-REQUEST`; undefined for what only changes context. */
export function actionText(action: unknown): string | undefined {
  if (typeof action === 'string') return action;
  const { type, name = '', to, event, src, sendId, actorRef } = action as AnyAction;
  switch (type) {
    case undefined:
      return NAMES_OF_NAMELESS.has(name) ? 'action' : name;
    case 'xstate.assign':
      return undefined;
    case 'xstate.sendTo':
      return sendingText(valueOf(to), valueOf(event));
    case 'xstate.raise':
    case 'xstate.emit':
      return words(type.slice(BUILTIN.length), typeOf(valueOf(event)));
    case 'xstate.cancel':
      return words('cancel', sendId);
    case 'xstate.spawnChild':
      return words('spawn', src);
    case 'xstate.stopChild':
      return words('stop', actorRef);
    default:
      return type.startsWith(BUILTIN) ? type.slice(BUILTIN.length) : type;
  }
}

/** A guard in a few words, as in `isReady and not isLate`; undefined when there is none. */
export function guardText(guard: unknown): string | undefined {
  if (guard === undefined || guard === null) return undefined;
  if (typeof guard === 'string') return guard;
  const { type, name = '', check, guards = [], stateValue } = guard as AnyGuard;
  if (type !== undefined) return type;
  if (check === undefined) return NAMES_OF_NAMELESS.has(name) ? 'condition' : name;
  if (name === 'stateIn') return `in ${valueText(stateValue as StateValue)}`;
  const parts = guards.map((part) => partText(part));
  return name === 'not' ? `not ${parts.join('')}` : parts.join(` ${name} `);
}

/** `{ build: { tests: 'ok', docs: 'write' } }` → `build.tests.ok & build.docs.write`. */
function valueText(value: StateValue, path = ''): string {
  if (typeof value === 'string') return path + value;
  return Object.entries(value)
    .map(([key, below = {}]) => (isEmpty(below) ? path + key : valueText(below, `${path}${key}.`)))
    .join(' & ');
}

function isEmpty(value: StateValue): boolean {
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** A combination inside another one stands in parentheses. */
function partText(guard: unknown): string {
  const text = guardText(guard) ?? '';
  const isCombined = typeof guard === 'function' && 'guards' in guard && (guard.guards as unknown[]).length > 1;
  return isCombined ? `(${text})` : text;
}

function sendingText(to: unknown, event: unknown): string {
  const { type, message } = (event ?? {}) as { type?: unknown; message?: { type?: unknown } };
  const addresses = addressesOf(to);
  if (addresses?.[0] === ASKER) return words('reply', message?.type);
  if (addresses?.[0] === EVERYONE) return words('broadcast', message?.type);
  if (addresses) return words('tell', addresses.join(', '), message?.type);
  if (type === MAIL_EVENT) return words('tell', message?.type);
  return typeof to === 'string' ? `${words('send', type)} to ${to}` : words('send', type);
}

/**
 * What was written as a value, also when a function wraps it, as in `tell('reviewer', …)`. What depends on context or
 * event cannot be known without them: such a function fails on the missing arguments.
 */
function valueOf(value: unknown): unknown {
  if (typeof value !== 'function') return value;
  try {
    return (value as () => unknown)();
  } catch {
    return undefined;
  }
}

function typeOf(event: unknown): unknown {
  return typeof event === 'object' && event !== null && 'type' in event ? event.type : undefined;
}

function words(...parts: readonly unknown[]): string {
  return parts.filter((part) => typeof part === 'string' && part !== '').join(' ');
}
