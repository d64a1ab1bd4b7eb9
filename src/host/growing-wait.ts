import type { Clock } from './host.ts';

/** How the waits between attempts grow. */
export interface Growth {
  readonly msMin: number;
  /** Default: no limit. */
  readonly msMax?: number;
  /** Default: 2. */
  readonly factor?: number;
}

/** The wait before the next attempt, in ms: `msMin` before the first failure, and `factor` times as long after each. */
export function waitMsAfter({ msMin, msMax = Infinity, factor = 2 }: Growth, failures: number): number {
  return Math.min(msMin * factor ** failures, msMax);
}

/** A wait between two attempts, longer each time. Rejects with the signal's reason as soon as the signal aborts. */
export function createGrowingWait(clock: Clock, growth: Growth, signal?: AbortSignal): () => Promise<void> {
  let waits = 0;
  return async () => {
    signal?.throwIfAborted();
    await clock.sleep(waitMsAfter(growth, waits++), signal);
    signal?.throwIfAborted();
  };
}
