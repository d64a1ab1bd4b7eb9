const POOL_BYTES = 4_096;
/** Longer requests are keys; they share memory with nothing. */
const POOLED_BYTES_MAX = 24;

/**
 * Gives out random bytes drawn from the system many at a time, because asking it for a few costs as much as a system
 * call and more. No byte is given out twice. `draw(length)` gives fresh unpredictable bytes.
 */
export function createRandomPool(draw: (length: number) => Buffer): (length: number) => Buffer {
  let pool: Buffer = Buffer.alloc(0);
  let used = 0;
  return (length) => {
    if (length > POOLED_BYTES_MAX) return draw(length);
    if (used + length > pool.length) {
      // A new buffer each time: what was given out lies in the old one.
      pool = draw(POOL_BYTES);
      used = 0;
    }
    used += length;
    return pool.subarray(used - length, used);
  };
}
