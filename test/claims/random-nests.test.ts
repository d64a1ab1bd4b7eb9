import { afterAll, beforeAll, test } from 'vitest';
import { assertRandomNests } from './random-nests.ts';
import { createWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.remove());

test('no schedule of three nested actors, with leases that end in between, breaks a rule', () => {
  assertRandomNests(world, { runs: 1_000 });
});
