/** Of every random choice of a run: `MAILROOM_SEED`, which the configuration sets and the report prints. */
export const SEED = Number(process.env['MAILROOM_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** Numbers from 0 up to 1, as from `Math.random`, that the seed repeats (mulberry32). */
export function createRandom(seed = SEED): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
