import { afterAll, beforeAll, test } from 'vitest';
import { assertRandomNests } from './random-nests.ts';
import { createWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.remove());

test('no rule is broken by any schedule of three actors in one another, with leases that end in between', () => {
  assertRandomNests(world, { runs: 1_000 });
});
