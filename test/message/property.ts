import fc from 'fast-check';

/** Checks a property on many values. The seed is `MAILROOM_SEED` or a new one, and printed, so that a failure can be repeated. */
export function checkProperty<T>(what: string, property: fc.IProperty<T>, { runs }: { runs: number }): void {
  const given = process.env['MAILROOM_SEED'];
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
  console.log(`${what}: ${runs} runs, MAILROOM_SEED=${seed}`);
  fc.assert(property, { numRuns: runs, seed });
}

/** JSON that can be sent: any but the one key that no message may have. */
export const sendableJson = fc
  .jsonValue({ maxDepth: 4 })
  .filter((value) => !JSON.stringify(value).includes('"__proto__":'));
