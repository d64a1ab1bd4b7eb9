import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkProperty } from '../message/property.ts';
import { acts, Bench } from './model-bench.ts';
import { createWorld, type World } from './world.ts';

const RUNS = 150;

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.remove());

test('directories and reports agree with the model after every verb', () => {
  let performed = 0;
  let lost = 0;
  const schedules = fc.array(acts, { minLength: 30, maxLength: 60, size: 'max' });
  const property = fc.property(schedules, (schedule) => {
    const bench = new Bench(world);
    for (const act of schedule) {
      bench.act(act);
      performed += 1;
      expect(bench.onDisk()).toEqual(bench.model.list());
    }
    lost += bench.lost;
  });
  checkProperty('verbs one by one', property, { runs: RUNS });
  console.log(`${performed} verbs in ${RUNS} schedules, ${lost} leases lost`);
});
