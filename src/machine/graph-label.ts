import type { AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { actionText, guardText } from './graph-action.ts';
import { graphName } from './graph-name.ts';

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** `after 5 min [isQuiet] / tell reviewer`: what makes the transition happen, under which condition, and what it does. */
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

/** What a state does by being entered, left or current, one line each. */
export function stateLines(node: AnyStateNode): string[] {
  const timers = new Set(node.after.map(({ eventType }) => eventType));
  // XState starts and cancels the timers of `after` by actions of its own.
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

/** Every actor that the state invokes: by the id that its author gave it, else by what it runs. */
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

/** Staying inside is the rule in XState 5; leaving and entering again must be asked for. */
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
