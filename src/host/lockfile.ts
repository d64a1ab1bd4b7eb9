import type properLockfile from 'proper-lockfile';
import type { Lock } from './host.ts';

const LOCK_STALE_MS = 5_000;
const LOCK_RETRY_MS = 20;

/**
 * proper-lockfile, used only to reduce contention. Breaking a stale lock can let two holders in, and a stopped holder
 * loses its lock without noticing, so a compromised lock is ignored and a lock that cannot be had is done without.
 */
export const lockfile: Lock = {
  smooth: async (path, { waitMsMax }) => {
    const { lock } = await (loading ??= load());
    const tries = Math.max(0, Math.floor(waitMsMax / LOCK_RETRY_MS));
    try {
      const release = await lock(path, {
        realpath: false,
        stale: LOCK_STALE_MS,
        retries: { retries: tries, factor: 1, minTimeout: LOCK_RETRY_MS, maxTimeout: LOCK_RETRY_MS },
        onCompromised: () => {},
      });
      return () => release().catch(() => {});
    } catch {
      return async () => {};
    }
  },
};

let loading: Promise<typeof properLockfile> | undefined;

/**
 * Its signal-exit listens for every signal from then on, to release locks when one arrives. That would disable the
 * default action of signals in a process whose main thread is busy, and a lock left behind soon becomes stale.
 */
async function load(): Promise<typeof properLockfile> {
  const signals = Object.keys(process.getBuiltinModule('node:os').constants.signals) as NodeJS.Signals[];
  const before = new Map(signals.map((signal) => [signal, new Set(process.listeners(signal))]));
  const { default: loaded } = await import('proper-lockfile');
  for (const [signal, had] of before) {
    for (const listener of process.listeners(signal)) {
      // By name, because other listeners may have been added in the meantime.
      if (!had.has(listener) && listener.name === 'listener') process.off(signal, listener);
    }
  }
  return loaded;
}
