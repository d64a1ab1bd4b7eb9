import type { FileSystem } from './file-system.ts';
import type { Processes } from './processes.ts';
import type { Watchdog } from './watchdog.ts';

/** The only door to the outside: everything Mailroom touches beyond its own memory goes through one of these. */
export interface Host {
  readonly files: FileSystem;
  readonly clock: Clock;
  /** `length` bytes that nobody can predict. */
  readonly randomBytes: (length: number) => Buffer;
  readonly lock: Lock;
  readonly processes: Processes;
  readonly watching: Watching;
  readonly watchdog: Watchdog;
}

/** Time, injectable. All times are ms; `now` is since the epoch. */
export interface Clock {
  now(): number;
  /** Ms since the machine started: does not jump when somebody sets the wall clock. */
  uptimeMs(): number;
  /** Resolves after the time or as soon as the signal aborts; never rejects. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}

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

/** A hint that a directory changed. It may be late, missing or repeated; a listing is the truth. */
export interface Watching {
  /**
   * Calls `onHint` when something may have changed in the one directory. `onFailure` is called once if no hints will
   * come (too many watches, no inotify, the directory went away): poll from then on, and watch again after a while.
   */
  directory(path: string, onHint: () => void, onFailure: (reason: string) => void): () => void;
  /**
   * The same for a whole tree, with the path that changed. `concerns` is asked of each directory below, and where it says no,
   * nothing in that directory or below it needs to be told. Watching costs something for each directory, never for each file.
   */
  tree(
    path: string,
    onHint: (changed: string) => void,
    onFailure: (reason: string) => void,
    concerns?: (directory: string) => boolean,
  ): Promise<() => Promise<void>>;
}
