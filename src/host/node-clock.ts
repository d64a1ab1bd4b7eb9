import { uptime } from 'node:os';
import type { Clock } from './clock.ts';

export const nodeClock: Clock = {
  now: () => Date.now(),
  uptimeMs: () => Math.round(uptime() * 1000),
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
