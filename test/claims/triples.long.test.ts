import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeTally, enumerateTriples } from './enumerate.ts';
import { STARTS } from './starts.ts';
import type { VerbName } from './verbs.ts';
import { createWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
  world.clock.isTicking = true;
});
afterAll(() => world.remove());

/** The verbs that change what others see; at the third level one of the holder's is enough. */
const VERBS: readonly VerbName[] = ['send', 'send another under the same id', 'claim', 'take over', 'acknowledge'];

test.each(STARTS)('no rule is broken by three actors, each within a call of the one before: $name', (start) => {
  const leasesMs = { a: 60_000, b: 120_000, c: 90_000 };
  const tally = enumerateTriples(world, { start, leasesMs, verbs: VERBS });
  console.log(`${start.name}, ${VERBS.length} verbs three deep: ${describeTally(tally)}`);
  expect(tally.broken.slice(0, 5), `${tally.broken.length} broken`).toEqual([]);
});
