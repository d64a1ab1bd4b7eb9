import { afterAll, beforeAll, expect, test } from 'vitest';
import { printedSeed } from '../processes/seed.ts';
import { choosesRealKills, KILL_STRIDE } from '../processes/stride.ts';
import { bundleScenario, type KilledChild } from './killed-child.ts';
import { killTwice, RECOVERIES } from './kill-twice.ts';

const SEED = printedSeed('kill-twice.slow.test.ts');
const isTried = choosesRealKills(SEED);

let child: KilledChild;
beforeAll(async () => {
  child = await bundleScenario();
});
afterAll(() => child.remove());

test.each(RECOVERIES)(
  'a second kill in place of any call of the recovery keeps every promise: $first.title',
  async (pair) => {
    const { firstKills, states, secondKills, realKills } = await killTwice(pair, {
      seed: SEED,
      // An acknowledgement makes few calls.
      stride: pair.first.title === 'acknowledge' ? 1 : KILL_STRIDE,
      real: { child, isTried },
    });
    console.log(
      `${pair.first.title}: ${firstKills} first kills left ${states} states, ${secondKills} second kills; ${realKills} real kills left the same`,
    );
    expect(states).toBeGreaterThan(1);
    expect(secondKills).toBeGreaterThan(states);
  },
);
