import type { Clock } from './clock.ts';

export const nodeClock: Clock = {
  now: () => Date.now(),
  // Asked for when needed, because most processes never need it and loading it takes its time.
  uptimeMs: () => Math.round(process.getBuiltinModule('node:os').uptime() * 1000),
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
