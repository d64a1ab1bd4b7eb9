import { afterAll, beforeAll, expect, test } from 'vitest';
import { printedSeed } from '../processes/seed.ts';
import { choosesRealKills, KILL_STRIDE } from '../processes/stride.ts';
import { killAtEveryCall } from './kill-at-every-call.ts';
import { bundleScenario, type KilledChild } from './killed-child.ts';
import { SCENARIOS } from './scenarios.ts';

const SEED = printedSeed('kill.slow.test.ts');
const isTried = choosesRealKills(SEED);

let child: KilledChild;
beforeAll(async () => {
  child = await bundleScenario();
});
afterAll(() => child.remove());

test.each(SCENARIOS)(
  'a kill in place of any call keeps every promise, and a real one leaves the same room: $title',
  async (scenario) => {
    const { kills, states, reported, realKills } = await killAtEveryCall(scenario, {
      seed: SEED,
      stride: KILL_STRIDE,
      real: { child, isTried },
    });
    console.log(
      `${scenario.title}: ${kills} simulated kills left ${states} states, ${realKills} real ones the same; ${reported} runs ended after they reported success`,
    );
    expect(kills).toBeGreaterThan(0);
    expect(reported).toBeGreaterThan(0);
  },
);
