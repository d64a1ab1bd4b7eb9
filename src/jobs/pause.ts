import type { Clock } from '../host/host.ts';

const PAUSE_MS_MIN = 10;
const PAUSE_MS_MAX = 250;
/** So that finding out late costs at most a third of what was waited for. */
const PAUSE_GROWTH = 1.3;

/** A wait between two looks, longer each time. Rejects with the signal's reason as soon as it aborts. */
export function createPause(clock: Clock, signal?: AbortSignal): () => Promise<void> {
  let pauseMs = PAUSE_MS_MIN;
  return async () => {
    signal?.throwIfAborted();
    await clock.sleep(pauseMs, signal);
    signal?.throwIfAborted();
    pauseMs = Math.min(pauseMs * PAUSE_GROWTH, PAUSE_MS_MAX);
  };
}
