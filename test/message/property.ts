import fc from 'fast-check';
import { amount } from '../run/amount.ts';

/** Fewer say little. */
const RUNS_MIN = 50;

/**
 * Checks a property on a fifth of `runs` values, or on all of them in the long set. The seed is `MAILROOM_SEED` or a new one, and
 * printed with the count, so that a failure can be repeated. Returns the count.
 */
export function checkProperty<T>(what: string, property: fc.IProperty<T>, { runs }: { runs: number }): number {
  const given = process.env['MAILROOM_SEED'];
  const numRuns = amount(Math.max(Math.ceil(runs / 5), Math.min(runs, RUNS_MIN)), { long: runs });
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
  console.log(`${what}: ${numRuns} runs, MAILROOM_SEED=${seed}`);
  fc.assert(property, { numRuns, seed });
  return numRuns;
}

/** JSON that can be sent: any but the one key that no message may have. */
export const sendableJson = fc
  .jsonValue({ maxDepth: 4 })
  .filter((value) => !JSON.stringify(value).includes('"__proto__":'));

const SURROGATES_FROM = 0xd800;
const SURROGATES = 0x800;

/** Any code point but half a pair, like the unit `binary` of fast-check, which takes 700 ms of each process to be made. */
export const anyCharacter = fc
  .integer({ min: 0, max: 0x10ffff - SURROGATES })
  .map((number) => String.fromCodePoint(number < SURROGATES_FROM ? number : number + SURROGATES));
