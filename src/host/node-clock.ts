import type { Clock } from './host.ts';
import { thisPlatform } from './platform/this-platform.ts';

export const nodeClock: Clock = {
  now: () => Date.now(),
  uptimeMs: () => thisPlatform().uptimeMs(),
  sleep: (durationMs, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, durationMs);
      signal?.addEventListener('abort', end, { once: true });
    }),
};

/** Resolves once everything that is ready to run has run, and events that arrived meanwhile have been handled. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
