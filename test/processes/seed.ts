/** The seed of everything random in a test file: `MAILROOM_SEED`, or a new one; printed, so that a failure can be repeated. */
export function printedSeed(file: string): number {
  const given = process.env['MAILROOM_SEED'];
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
  console.log(`${file}: MAILROOM_SEED=${seed}`);
  return seed;
}
