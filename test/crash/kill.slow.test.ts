import { afterAll, beforeAll, expect, test } from 'vitest';
import { killAtEveryCall } from './kill-at-every-call.ts';
import { bundleScenario } from './killed-child.ts';
import { STRIDE } from '../processes/stride.ts';
import { SCENARIOS } from './scenarios.ts';

let child: Awaited<ReturnType<typeof bundleScenario>>;
beforeAll(async () => {
  child = await bundleScenario();
});
afterAll(() => child.remove());

test.each(SCENARIOS)('a kill in place of any call keeps every promise: $title', async (scenario) => {
  const { kills, states, reported } = await killAtEveryCall(child.program, scenario, STRIDE);
  console.log(
    `${scenario.title}: 1 of ${STRIDE} calls, ${kills} runs left ${states} states; ${reported} ended after they reported success`,
  );
  expect(kills).toBeGreaterThan(0);
  expect(reported).toBeGreaterThan(0);
});
