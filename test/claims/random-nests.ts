import fc from 'fast-check';
import { checkProperty } from '../message/property.ts';
import { VERB_NAMES } from './enumerate.ts';
import { describeRun, interleave, type Interleaving, type Nest } from './interleave.ts';
import { STARTS } from './starts.ts';
import type { World } from './world.ts';

const LEASES_MS = [30_000, 60_000, 60_000, 120_000];

const step = fc.integer({ min: 1, max: 16 });
const verb = fc.constantFrom(...VERB_NAMES);

/** Up to three actors, each within a call of the previous one. */
const nest: fc.Arbitrary<Nest> = fc
  .tuple(
    fc.shuffledSubarray(['a', 'b', 'c'], { minLength: 3 }),
    fc.array(fc.tuple(verb, step), { minLength: 1, maxLength: 3 }),
  )
  .map(([actors, levels]) =>
    levels.reduceRight<Nest | undefined>((inner, [name, at], depth) => {
      const outer = { actor: actors[depth] ?? 'a', verb: name };
      return inner ? { ...outer, inside: { step: at, nest: inner } } : outer;
    }, undefined),
  )
  .filter((made) => made !== undefined);

const pause = fc.constantFrom(1, 1_000, 45_000, 130_000);

const interleavings: fc.Arbitrary<Interleaving> = fc.record({
  start: fc.constantFrom(...STARTS),
  leasesMs: fc.record({
    a: fc.constantFrom(...LEASES_MS),
    b: fc.constantFrom(...LEASES_MS),
    c: fc.constantFrom(...LEASES_MS),
  }),
  nests: fc
    .tuple(
      nest,
      fc.array(fc.oneof({ weight: 4, arbitrary: nest }, { weight: 1, arbitrary: pause }), {
        maxLength: 10,
        size: 'max',
      }),
    )
    .map(([first, rest]): Interleaving['nests'] => [first, ...rest]),
});

/**
 * Runs random schedules, in which other verbs may run within the calls of every verb, and checks every rule at every
 * change.
 */
export function assertRandomNests(world: World, { runs }: { runs: number }): void {
  world.clock.isTicking = true;
  let verbs = 0;
  let twice = 0;
  const property = fc.property(interleavings, (interleaving) => {
    const ran = interleave(world, interleaving);
    verbs += ran.reports.length;
    if (ran.twice > 0) twice += 1;
    if (ran.faults.length > 0) throw new Error(describeRun(interleaving, ran));
  });
  checkProperty('nested schedules', property, { runs });
  console.log(`${verbs} verbs in ${runs} schedules; in ${twice} two acted at once on two copies`);
}
