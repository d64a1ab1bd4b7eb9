import type { Clock } from './clock.ts';
import type { FileSystem } from './file-system.ts';
import type { Lock } from './lock.ts';
import type { Processes } from './processes.ts';
import type { Watchdog } from './watchdog.ts';
import type { Watching } from './watching.ts';

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
