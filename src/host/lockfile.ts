import type properLockfile from 'proper-lockfile';
import type { Lock } from './host.ts';

const LOCK_STALE_MS = 5_000;
const LOCK_RETRY_MS = 20;

/**
 * proper-lockfile, used only to smooth contention. Its stale break lets two holders in, and a stopped holder loses its
 * lock without noticing, so a compromised lock is shrugged off and a lock that cannot be had is done without.
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
 * Its signal-exit listens for every signal from then on, for the sake of the locks that are held when one comes. That would take
 * the default action of signals away from a process whose main thread is busy, and a lock that is left is stale soon enough.
 */
async function load(): Promise<typeof properLockfile> {
  const signals = Object.keys(process.getBuiltinModule('node:os').constants.signals) as NodeJS.Signals[];
  const before = new Map(signals.map((signal) => [signal, new Set(process.listeners(signal))]));
  const { default: loaded } = await import('proper-lockfile');
  for (const [signal, had] of before) {
    for (const listener of process.listeners(signal)) {
      // By its name, because others may have come in the meantime.
      if (!had.has(listener) && listener.name === 'listener') process.off(signal, listener);
    }
  }
  return loaded;
}
