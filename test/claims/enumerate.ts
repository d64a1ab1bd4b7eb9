import { isTried } from '../processes/stride.ts';
import { describeRun, interleave, type Interleaving, type Nest } from './interleave.ts';
import type { Start } from './starts.ts';
import { VERBS, type VerbName } from './verbs.ts';
import type { World } from './world.ts';

export const VERB_NAMES = Object.keys(VERBS) as VerbName[];

export interface Tally {
  interleavings: number;
  /** Number of runs in which two actors acted at once, each on a copy of its own. */
  twice: number;
  /** Number of runs in which a rename replaced another claim. */
  overwritten: number;
  readonly broken: string[];
}

const newTally = (): Tally => ({ interleavings: 0, twice: 0, overwritten: 0, broken: [] });

/** Runs one interleaving and counts it. False, and not counted, if the innermost verb never ran. */
function count(world: World, tally: Tally, interleaving: Interleaving): boolean {
  const ran = interleave(world, interleaving);
  if (!ran.isComplete) return false;
  tally.interleavings += 1;
  if (ran.twice > 0) tally.twice += 1;
  if (ran.overwritten > 0) tally.overwritten += 1;
  if (ran.faults.length > 0) tally.broken.push(describeRun(interleaving, ran));
  return true;
}

/**
 * Every verb of one actor within every verb of the other, before each of its calls, or before one of `stride`. Verbs
 * with nothing to do are left out.
 */
export function enumeratePairs(
  world: World,
  options: { starts: readonly Start[]; leasesMs: Interleaving['leasesMs']; stride?: number },
): Tally {
  const { starts, leasesMs, stride = 1 } = options;
  const tally = newTally();
  for (const start of starts) {
    const stepsOf = (actor: string, verb: VerbName): number =>
      interleave(world, { start, leasesMs, nests: [{ actor, verb }] }).steps;
    const inners = VERB_NAMES.filter((verb) => stepsOf('b', verb) > 0);
    for (const outer of VERB_NAMES) {
      const steps = stepsOf('a', outer);
      for (const verb of inners) {
        for (let step = 1; step <= steps; step++) {
          if (!isTried(step, stride)) continue;
          const nest: Nest = { actor: 'a', verb: outer, inside: { step, nest: { actor: 'b', verb } } };
          count(world, tally, { start, leasesMs, nests: [nest] });
        }
      }
    }
  }
  return tally;
}

/**
 * The same three levels deep: every verb of the third actor within every call of every verb of the second, within those
 * of the first.
 */
export function enumerateTriples(
  world: World,
  options: { start: Start; leasesMs: Interleaving['leasesMs']; verbs: readonly VerbName[] },
): Tally {
  const { start, leasesMs, verbs } = options;
  const tally = newTally();
  const stepsOf = (actor: string, verb: VerbName): number =>
    interleave(world, { start, leasesMs, nests: [{ actor, verb }] }).steps;
  const middles = verbs.filter((verb) => stepsOf('b', verb) > 0);
  for (const outer of verbs) {
    for (let step = stepsOf('a', outer); step >= 1; step--) {
      for (const middle of middles) {
        for (const inner of verbs) {
          for (let middleStep = 1; middleStep <= MIDDLE_STEPS_MAX; middleStep++) {
            const second: Nest = {
              actor: 'b',
              verb: middle,
              inside: { step: middleStep, nest: { actor: 'c', verb: inner } },
            };
            const nest: Nest = { actor: 'a', verb: outer, inside: { step, nest: second } };
            if (!count(world, tally, { start, leasesMs, nests: [nest] })) break;
          }
        }
      }
    }
  }
  return tally;
}

/** More calls than any verb makes here. */
const MIDDLE_STEPS_MAX = 60;

export function describeTally({ interleavings, twice, overwritten }: Tally): string {
  return (
    `${interleavings} interleavings; in ${twice} two acted at once on two copies, ` +
    `in ${overwritten} one claim replaced another`
  );
}
