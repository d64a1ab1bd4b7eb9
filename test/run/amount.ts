/** Whether this is the set of tests that nobody waits for. */
const IS_LONG = process.env['MAILROOM_TESTS'] === 'long';

/** How many of something a test tries; the long set tries more. The test prints the number. */
export function amount(usual: number, { long }: { long: number }): number {
  return IS_LONG ? long : usual;
}

/** The members of a list that a test tries: in the long set all, else those chosen. */
export function choice<T>(all: readonly T[], isChosen: (one: T) => boolean): T[] {
  return IS_LONG ? [...all] : all.filter(isChosen);
}
