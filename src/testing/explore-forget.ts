import { textOf } from './explore-fingerprint.ts';
import type { Situation } from './explore-situation.ts';

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
