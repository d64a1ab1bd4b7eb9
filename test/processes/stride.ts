import { SEED } from '../run/seed.ts';

/**
 * Of how many places where something can go wrong one is tried: the long tests try each, the others one of twelve, and the
 * seed says which.
 */
const STRIDE = Number(process.env['MAILROOM_STRIDE'] ?? 12);

/** The same where there are few places, or each is tried in many ways. */
export const SHORT_STRIDE = Math.ceil(STRIDE / 4);

const OFFSET = SEED % STRIDE;

/** Whether the `n`th place is one of those that are tried. */
export function isTried(n: number, stride = STRIDE): boolean {
  return (n + OFFSET) % stride === 0;
}

/** Of how many places where a process can be killed one is tried with a real SIGKILL; a simulated kill is tried at all of them. */
export const REAL_KILL_STRIDE = Number(process.env['MAILROOM_STRIDE'] ?? 50);

/** Chooses one of so many places, over all that it is asked about; the seed says which. */
export function choosesOneOf(stride: number, seed: number): () => boolean {
  let asked = seed % stride;
  return () => asked++ % stride === 0;
}
