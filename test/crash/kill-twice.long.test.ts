import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleScenario } from './killed-child.ts';
import { killTwice, RECOVERIES } from './kill-twice.ts';

let child: Awaited<ReturnType<typeof bundleScenario>>;
beforeAll(async () => {
  child = await bundleScenario();
});
afterAll(() => child.remove());

test.each(RECOVERIES)('every pair of kills keeps every promise: $first.title', async (pair) => {
  const { firstKills, states, secondKills } = await killTwice(child.program, pair, { isLiteral: true });
  console.log(`${pair.first.title}: ${firstKills} first kills, ${secondKills} second kills`);
  // The last of them ended by itself.
  expect(states).toBeGreaterThan(firstKills);
});
