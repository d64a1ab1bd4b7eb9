/** The seed of a file's properties: `MAILROOM_SEED`, or a new one; printed, so that a failure can be repeated. */
export function propertySeed(file: string): number {
  const given = process.env['MAILROOM_SEED'];
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
  console.log(`${file}: MAILROOM_SEED=${seed}`);
  return seed;
}
