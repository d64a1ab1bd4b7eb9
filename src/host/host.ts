import type { FileSystem } from './file-system.ts';
import type { Processes } from './processes.ts';
import type { Watchdog } from './watchdog.ts';

/**
 * The ports to the outside: everything that Mailroom touches beyond its own memory goes through one of them. A test gives
 * `openRoom` a host with some ports replaced.
 *
 * @example
 * ```ts
 * import { openRoom } from 'agent-mailroom';
 * import { nodeHost, type Host } from 'agent-mailroom/runtime';
 *
 * const anHourAhead: Host = { ...nodeHost, clock: { ...nodeHost.clock, now: () => Date.now() + 3_600_000 } };
 * await using room = await openRoom({ host: anHourAhead });
 * ```
 */
export interface Host {
  /** Files and directories. */
  readonly files: FileSystem;
  /** Time. */
  readonly clock: Clock;
  /** Returns `length` unpredictable bytes. */
  readonly randomBytes: (length: number) => Buffer;
  /** A lock that reduces contention between processes. */
  readonly lock: Lock;
  /** Other processes, and this one. */
  readonly processes: Processes;
  /** Hints that a directory changed. */
  readonly watching: Watching;
  /** What notices that the main thread is stuck. */
  readonly watchdog: Watchdog;
}

/** The port to time. All times are in ms. */
export interface Clock {
  /** The time in ms since the epoch. */
  now(): number;
  /** The time since the machine started in ms; setting the wall clock does not change it. */
  uptimeMs(): number;
  /** Resolves after the duration, or as soon as the signal aborts. Never rejects. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}

/**
 * The port to a lock that reduces contention. Nothing may depend on it for correctness: two processes can hold it, it can be
 * lost while held, and it can fail.
 */
export interface Lock {
  /** Waits at most `waitMsMax` for the lock beside `path`, then resolves without it. Never rejects; the returned release never throws. */
  smooth(path: string, options: { waitMsMax: number }): Promise<() => Promise<void>>;
}

/** Always grants. Every concurrency test must also pass with this lock. */
export const alwaysGrants: Lock = { smooth: async () => async () => {} };

/** The port to file watchers. A hint can be late, missing or repeated; only a listing is reliable. */
export interface Watching {
  /**
   * Calls `onHint` when something may have changed in a directory, and `onFailure` once if no more hints will come (too many watches,
   * no inotify, the directory is gone): poll from then on, and watch again later. Returns a function that stops watching.
   */
  directory(path: string, onHint: () => void, onFailure: (reason: string) => void): () => void;
  /**
   * Watches a whole tree; `onHint` gets the path that changed. `concerns` is called for each directory below, and leaves out those
   * for which it returns false, with everything below. The cost is per directory, not per file.
   */
  tree(
    path: string,
    onHint: (changed: string) => void,
    onFailure: (reason: string) => void,
    concerns?: (directory: string) => boolean,
  ): Promise<() => Promise<void>>;
}
