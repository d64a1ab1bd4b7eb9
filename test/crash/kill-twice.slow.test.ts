import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleScenario } from './killed-child.ts';
import { killTwice, RECOVERIES } from './kill-twice.ts';

let child: Awaited<ReturnType<typeof bundleScenario>>;
beforeAll(async () => {
  child = await bundleScenario();
});
afterAll(() => child.remove());

// The others, and every pair of kills, are in the long test.
const QUICK = RECOVERIES.filter(({ first }) => first.operation === 'claim');

test.each(QUICK)(
  'a second kill in place of any call of the recovery keeps every promise: $first.title',
  async (pair) => {
    const { firstKills, states, secondKills } = await killTwice(child.program, pair, { isLiteral: false });
    console.log(`${pair.first.title}: ${firstKills} first kills left ${states} states, ${secondKills} second kills`);
    expect(states).toBeGreaterThan(1);
    expect(secondKills).toBeGreaterThan(states);
  },
);
