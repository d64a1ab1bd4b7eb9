import { SEED } from '../run/seed.ts';

/**
 * Of how many places where something can go wrong one is tried: the long tests try each, the others one of 24, and the
 * seed says which.
 */
export const STRIDE = Number(process.env['MAILROOM_STRIDE'] ?? 24);

/** The same where there are few places, or each is tried in many ways. */
export const SHORT_STRIDE = Math.ceil(STRIDE / 4);

/** Of how many places where a process can be killed one is tried with a simulated kill. */
export const KILL_STRIDE = Math.ceil(STRIDE / 8);

/** The same for a real SIGKILL, which a simulated one is compared with. */
export const REAL_KILL_STRIDE = Number(process.env['MAILROOM_STRIDE'] ?? 50);

/** Whether the `n`th place is one of those that are tried. */
export function isTried(n: number, stride = STRIDE): boolean {
  return (n + SEED) % stride === 0;
}

/** Chooses one of so many places, over all that it is asked about; the seed says which. */
export function choosesOneOf(stride: number, seed: number): () => boolean {
  let asked = seed % stride;
  return () => asked++ % stride === 0;
}

/** Chooses so many of those places that have a simulated kill that one of `REAL_KILL_STRIDE` of all has a real one as well. */
export function choosesRealKills(seed: number): () => boolean {
  return choosesOneOf(Math.ceil(REAL_KILL_STRIDE / KILL_STRIDE), seed);
}
