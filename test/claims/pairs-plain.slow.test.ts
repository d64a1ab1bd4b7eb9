import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeTally, enumeratePairs, VERB_NAMES } from './enumerate.ts';
import { STARTS } from './starts.ts';
import { createWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.remove());

test('no verb breaks a rule with any other in between, before any of its calls', () => {
  const tally = enumeratePairs(world, { starts: STARTS, leasesMs: { a: 60_000, b: 120_000, c: 90_000 } });
  console.log(`${STARTS.length} starts, ${VERB_NAMES.length} verbs in each other: ${describeTally(tally)}`);
  expect(tally.broken.slice(0, 5), `${tally.broken.length} broken`).toEqual([]);
  expect(tally.overwritten).toBe(0);
});
