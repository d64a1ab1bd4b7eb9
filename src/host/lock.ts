/**
 * A lock that only keeps processes from all trying at once. Nothing may depend on it for correctness: it may
 * grant to two holders, be lost while held, or fail.
 */
export interface Lock {
  /** Waits at most `waitMsMax` for the lock beside `path`, then goes on without it. Never rejects; the returned release never throws. */
  smooth(path: string, options: { waitMsMax: number }): Promise<() => Promise<void>>;
}

/** Always grants. Every test of concurrency must hold with it too. */
export const alwaysGrants: Lock = { smooth: async () => async () => {} };
