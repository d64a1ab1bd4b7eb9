const POOL_BYTES = 4_096;
/** Longer requests are keys; they share memory with nothing. */
const POOLED_BYTES_MAX = 24;

/**
 * Gives out random bytes drawn from the system many at a time, because asking it for a few costs as much as a system
 * call and more. No byte is given out twice. Both sources give fresh unpredictable bytes: `drawKey` for longer requests,
 * which are keys, `drawPool` for the pool.
 */
export function createRandomPool({
  drawPool,
  drawKey,
}: {
  drawPool: (length: number) => Buffer;
  drawKey: (length: number) => Buffer;
}): (length: number) => Buffer {
  let pool: Buffer = Buffer.alloc(0);
  let used = 0;
  return (length) => {
    if (length > POOLED_BYTES_MAX) return drawKey(length);
    if (used + length > pool.length) {
      // A new buffer each time: what was given out lies in the old one.
      pool = drawPool(POOL_BYTES);
      used = 0;
    }
    used += length;
    return pool.subarray(used - length, used);
  };
}
