import type { Clock } from '../../src/host/host.ts';

/** A clock that stands still until a test moves it; a sleeper wakes once the clock has come far enough. */
export interface SteppedClock extends Clock {
  advance(durationMs: number): void;
  /** How many sleepers wait for the clock to be moved. */
  readonly sleepers: number;
}

export function createSteppedClock(startMs = Date.now()): SteppedClock {
  const sleeping = new Set<{ readonly dueMs: number; readonly wake: () => void }>();
  let nowMs = startMs;
  return {
    now: () => nowMs,
    uptimeMs: () => nowMs - startMs + 1_000_000,
    sleep: (durationMs, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const sleeper = {
          dueMs: nowMs + durationMs,
          wake: () => {
            sleeping.delete(sleeper);
            signal?.removeEventListener('abort', sleeper.wake);
            resolve();
          },
        };
        sleeping.add(sleeper);
        signal?.addEventListener('abort', sleeper.wake, { once: true });
      }),
    advance: (durationMs) => {
      nowMs += durationMs;
      for (const sleeper of sleeping) if (sleeper.dueMs <= nowMs) sleeper.wake();
    },
    get sleepers() {
      return sleeping.size;
    },
  };
}
