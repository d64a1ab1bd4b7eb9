import type { Lock } from './lock.ts';

const LOCK_STALE_MS = 5_000;
const LOCK_RETRY_MS = 20;

/**
 * proper-lockfile, used only to smooth contention. Its stale break lets two holders in, and a stopped holder loses its
 * lock without noticing, so a compromised lock is shrugged off and a lock that cannot be had is done without.
 */
export const lockfile: Lock = {
  smooth: async (path, { waitMsMax }) => {
    const { default: properLockfile } = await import('proper-lockfile');
    const tries = Math.max(0, Math.floor(waitMsMax / LOCK_RETRY_MS));
    try {
      const release = await properLockfile.lock(path, {
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
