import { createHash } from 'node:crypto';
import type { WorkflowState } from '../../step/workflow-state.ts';
import { compareEffectIds } from './clock.ts';
import type { Situation, WorkflowAt } from './situation.ts';
import { incarnationOf, MESSAGE_ID_START, type SystemUnderTest } from './system.ts';

/**
 * A text that two situations share if nothing that can follow tells them apart: without step counts, with mail that keeps
 * no order in a fixed one, and with the names that were only ever made up (ids of messages, effects and incarnations,
 * numbered addresses of children) replaced by the order in which they appear, wherever they appear.
 */
export function fingerprint(system: SystemUnderTest, situation: Situation): string {
  const order = orderOf(situation);
  const rank = new Map([...order, ...situation.agents.keys()].map((address, at) => [address, at]));
  const rankOf = (address: string): number => rank.get(address) ?? -1;
  const transit = situation.transit.toSorted(
    (a, b) => rankOf(a.to) - rankOf(b.to) || rankOf(a.message.from) - rankOf(b.message.from),
  );
  const text = [
    ...order.map((address) => workflowText(address, situation.workflows.get(address) as WorkflowAt)),
    ...transit.map((one) => textOf(one)),
    ...situation.undeliverable.toSorted((a, b) => rankOf(a.from) - rankOf(b.from)).map((one) => textOf(one)),
    ...[...situation.agents.values()].flatMap(({ sent, open, remembered }) => [
      sent.join(),
      ...open.toSorted((a, b) => rankOf(a.message.from) - rankOf(b.message.from)).map((one) => textOf(one)),
      JSON.stringify(remembered),
    ]),
  ].join('\n');
  return createHash('sha1')
    .update(renamed(system, situation, text))
    .digest('base64');
}

/** Workflows that were started by hand, each followed by its children in the order of their ids; then what nobody waits for. */
function orderOf({ workflows }: Situation): string[] {
  const order = new Set<string>();
  const visit = (address: string): void => {
    const workflow = workflows.get(address);
    if (!workflow || order.has(address)) return;
    order.add(address);
    const calls = Object.entries(workflow.state?.calls ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [, call] of calls) if (call.kind === 'machine') visit(call.address);
  };
  for (const [address, { expected }] of workflows) if (!expected) visit(address);
  for (const address of workflows.keys()) visit(address);
  return [...order];
}

const texts = new WeakMap<object, string>();

/** Parts are shared by many situations. */
function textOf(part: object): string {
  const found = texts.get(part);
  if (found !== undefined) return found;
  const text = JSON.stringify(isState(part) ? stateParts(part) : part);
  texts.set(part, text);
  return text;
}

function isState(part: object): part is WorkflowState {
  return 'snapshot' in part;
}

/** All that a workflow goes on from. */
function stateParts({ steps: _steps, since: _since, timers, calls, ...rest }: WorkflowState): unknown {
  const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1);
  return [
    rest,
    Object.entries(calls).sort(byName),
    Object.entries(timers).sort(([, a], [, b]) => compareEffectIds(a.effectId, b.effectId)),
  ];
}

function workflowText(address: string, { state, timers, expected }: WorkflowAt): string {
  const bounds = timers.bounds.map((row) => row.join()).join(';');
  return [address, JSON.stringify(expected), state && textOf(state), timers.ids.join(), bounds].join('\t');
}

function renamed({ workflows }: SystemUnderTest, situation: Situation, text: string): string {
  const runs = Object.keys(workflows).map((address) => incarnationOf(address));
  const numbered = [...situation.workflows].filter(([, { isNumbered }]) => isNumbered).map(([address]) => address);
  // The longest first, so that none is taken for the beginning of another.
  const addresses = numbered.toSorted((a, b) => b.length - a.length).map((address) => address.replaceAll('.', '\\.'));
  const made = new RegExp(
    [
      `${MESSAGE_ID_START}[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}`,
      `(?:${runs.join('|')})(?:\\.\\d+)*`,
      ...(addresses.length === 0 ? [] : [`(?<![a-z0-9_.-])(?:${addresses.join('|')})(?![a-z0-9_-])`]),
    ].join('|'),
    'g',
  );
  const names = new Map<string, string>();
  const counts = new Map<string, number>();
  const nameIn = (scope: string, key: string): string => {
    const found = names.get(key);
    if (found !== undefined) return found;
    const count = counts.get(scope) ?? 0;
    counts.set(scope, count + 1);
    const name = `${scope}${MADE_UP}${count}`;
    names.set(key, name);
    return name;
  };
  return text.replace(made, (found) => {
    if (found.startsWith(MESSAGE_ID_START)) return nameIn('m', found);
    if (!runs.includes(found.slice(0, RUN_CHARS))) return nameIn('a', found);
    // What an effect belongs to is read off the beginning of its id, so that has to stay told.
    let name = found.slice(0, RUN_CHARS);
    let key = name;
    for (const [pair] of found.slice(RUN_CHARS).matchAll(/\.\d+\.\d+/g)) {
      key += pair;
      name = nameIn(name, key);
    }
    return name;
  });
}

const RUN_CHARS = 12;
/** No text of a machine can hold it as it is: JSON escapes it. */
const MADE_UP = '\u0001';

/**
 * The situation without children that have ended and that nothing mentions any more. Otherwise a machine that starts a
 * child in each of its rounds would never be in the same situation twice.
 */
export function forgetEnded(situation: Situation): Situation {
  const ended = [...situation.workflows].filter(
    ([, { expected, state }]) =>
      expected && state && state.status !== 'active' && state.incarnation === expected.incarnation,
  );
  if (ended.length === 0) return situation;
  const { transit, undeliverable, agents, workflows } = situation;
  const kept = new Map(workflows);
  for (const [address] of ended) {
    const others = [...kept].filter(([other]) => other !== address).map(([, { state }]) => state);
    const open = [...agents.values()].flatMap((agent) => agent.open);
    const rest = [...others, ...transit, ...undeliverable, ...open].filter((part) => part !== undefined);
    const isMentioned =
      rest.some((part) => textOf(part).includes(address)) ||
      [...kept.values()].some(({ expected }) => expected?.parent.address === address);
    if (!isMentioned) kept.delete(address);
  }
  return kept.size === workflows.size ? situation : { ...situation, workflows: kept };
}
