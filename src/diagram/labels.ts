import type { AnyStateNode, AnyTransitionDefinition, StateValue } from 'xstate';
import { EVERYONE } from '../message/address.ts';
import { visible } from '../message/visible.ts';
import { addressesOf, REPLY_RECIPIENT, MAIL_EVENT } from '../workflow/send.ts';

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** The trigger, the guard and the actions of a transition, such as `after 5 min [isQuiet] / tell reviewer`. */
export function transitionLabel(transition: AnyTransitionDefinition): string {
  const guard = guardText(transition.guard);
  const actions = actionsText(transition.actions);
  return [
    triggerText(transition.eventType, transition.source),
    guard === undefined ? '' : `[${graphName(guard)}]`,
    actions === '' ? '' : `/ ${actions}`,
    markOf(transition),
  ]
    .filter(Boolean)
    .join(' ');
}

/** What a state invokes, and what it does on entry and exit, one line each. */
export function stateLines(node: AnyStateNode): string[] {
  const timers = new Set(node.after.map(({ eventType }) => eventType));
  // XState starts and cancels the timers of `after` with its own actions.
  const entry = node.entry.filter((action) => !isTimer(action, timers));
  const exit = node.exit.filter((action) => !isTimer(action, timers));
  return [
    ...invokesOf(node).map(({ label }) => `⚙ ${label}`),
    ...prefixed('entry / ', actionsText(entry)),
    ...prefixed('exit / ', actionsText(exit)),
  ];
}

export function actionsText(actions: readonly unknown[]): string {
  return actions
    .map((action) => actionText(action))
    .filter((text) => text !== undefined)
    .map((text) => graphName(text))
    .join(', ');
}

function prefixed(prefix: string, text: string): string[] {
  return text === '' ? [] : [prefix + text];
}

function isTimer(action: unknown, timers: ReadonlySet<string>): boolean {
  const { id, sendId } = action as { id?: unknown; sendId?: unknown };
  return timers.has(String(id)) || timers.has(String(sendId));
}

function triggerText(eventType: string, source: AnyStateNode): string {
  if (eventType === '') return 'always';
  if (eventType === `xstate.done.state.${source.id}`) return 'onDone';
  const after = behind('xstate.after.', eventType);
  if (after !== undefined && after.endsWith(`.${source.id}`)) {
    const delay = after.slice(0, -source.id.length - 1);
    return `after ${/^\d+(?:\.\d+)?$/.test(delay) ? durationText(Number(delay)) : graphName(delay)}`;
  }
  const done = behind('xstate.done.actor.', eventType);
  if (done !== undefined) return `done(${actorName(done, source)})`;
  const failed = behind('xstate.error.actor.', eventType);
  if (failed !== undefined) return `error(${actorName(failed, source)})`;
  const changed = behind('xstate.snapshot.', eventType);
  if (changed !== undefined) return `snapshot(${actorName(changed, source)})`;
  return graphName(behind('xstate.', eventType) ?? eventType);
}

function behind(prefix: string, text: string): string | undefined {
  return text.startsWith(prefix) ? text.slice(prefix.length) : undefined;
}

function actorName(id: string, source: AnyStateNode): string {
  return invokesOf(source).find((invoked) => invoked.id === id)?.name ?? graphName(id);
}

/** Every actor that the state invokes, named by the author's id, or else by its logic. */
function invokesOf(node: AnyStateNode): { id: string; name: string; label: string }[] {
  return node.invoke.map(({ id, src }, index) => {
    const ownId = id === `${index}.${node.id}` ? undefined : graphName(id);
    const logic = typeof src === 'string' && !src.startsWith('xstate.invoke.') ? graphName(src) : undefined;
    const isTwice = ownId === undefined && node.invoke.filter((other) => other.src === src).length > 1;
    const name = ownId ?? `${logic ?? 'actor'}${isTwice ? ` ${index + 1}` : ''}`;
    return {
      id,
      name,
      label: logic === undefined || ownId === undefined || ownId === logic ? name : `${name} (${logic})`,
    };
  });
}

/** 90000 → `90 s`, 1500 → `1.5 s`: exact, in the largest unit that leaves a whole number. */
function durationText(ms: number): string {
  const unit = UNITS.find(([, size]) => ms >= size && ms % size === 0);
  if (unit) return `${ms / unit[1]} ${unit[0]}`;
  return ms >= 1000 ? `${ms / 1000} s` : `${ms} ms`;
}

/** In XState 5 a transition does not leave and re-enter its source state unless it has `reenter`. */
function markOf({ source, target, reenter, actions }: AnyTransitionDefinition): string {
  if (target === undefined) return actions.length === 0 ? '(ignored)' : '';
  return reenter && target.some((state) => state === source || isInside(state, source)) ? '(reenter)' : '';
}

function isInside(state: AnyStateNode, ancestor: AnyStateNode): boolean {
  for (let at = state.parent; at; at = at.parent) {
    if (at === ancestor) return true;
  }
  return false;
}

/** An action as XState stores it: a name with params, a builtin action (a function with these fields), or a function. */
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
/** Names that JavaScript gives an inline function, after the property that holds it. */
const NAMES_OF_NAMELESS = new Set(['', 'actions', 'entry', 'exit', 'guard']);

/** An action in a few words, such as `tell reviewer REVIEW-REQUEST`; undefined for one that only changes context. */
function actionText(action: unknown): string | undefined {
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

/** A guard in a few words, such as `isReady and not isLate`; undefined if there is none. */
function guardText(guard: unknown): string | undefined {
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

/** A guard as part of a combination: in parentheses if it is a combination itself. */
function partText(guard: unknown): string {
  const text = guardText(guard) ?? '';
  const isCombined = typeof guard === 'function' && 'guards' in guard && (guard.guards as unknown[]).length > 1;
  return isCombined ? `(${text})` : text;
}

function sendingText(to: unknown, event: unknown): string {
  const { type, message } = (event ?? {}) as { type?: unknown; message?: { type?: unknown } };
  const addresses = addressesOf(to);
  if (addresses?.[0] === REPLY_RECIPIENT) return words('reply', message?.type);
  if (addresses?.[0] === EVERYONE) return words('broadcast', message?.type);
  if (addresses) return words('tell', addresses.join(', '), message?.type);
  if (type === MAIL_EVENT) return words('tell', message?.type);
  return typeof to === 'string' ? `${words('send', type)} to ${to}` : words('send', type);
}

/**
 * A constant value, also if a function wraps it, as in `tell('reviewer', …)`. A value that depends on context or event is unknown
 * here: such a function fails on the missing arguments.
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

/**
 * A name as a picture shows it: on one line, with control characters and lone surrogates escaped. A name with spaces that would
 * not show is quoted, so that no two names look the same.
 */
export function graphName(name: string): string {
  const text = visible(name).replace(/[\ufffe\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`);
  return /^$|^\s|\s$|\s{2}|[^\S ]/.test(text) ? JSON.stringify(text) : text;
}
