import { afterAll, beforeAll, expect, test } from 'vitest';
import { SHORT_STRIDE } from '../processes/stride.ts';
import { describeTally, enumeratePairs, VERB_NAMES } from './enumerate.ts';
import { STARTS } from './starts.ts';
import { createWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.remove());

test.each([{ lease: 'all leases end in the same ms', leasesMs: { a: 60_000, b: 60_000, c: 60_000 } }])(
  'no verb breaks a rule with any other run before one of its calls, when $lease',
  ({ leasesMs }) => {
    const tally = enumeratePairs(world, { starts: STARTS, leasesMs, stride: SHORT_STRIDE });
    console.log(`${STARTS.length} starts, ${VERB_NAMES.length} verbs in each other: ${describeTally(tally)}`);
    expect(tally.broken.slice(0, 5), `${tally.broken.length} broken`).toEqual([]);
    expect(tally.overwritten).toBe(0);
  },
);
