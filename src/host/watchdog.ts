/** Work of the main thread that normally returns in no time, unless code of a user never does. */
export interface Stretch {
  /** Where it is noted while it lasts. */
  readonly path: string;
  /** What it is working on; inert, because it is shown. */
  readonly cause: string;
}

/** A stretch this long is worth reporting: readers of a note check its age. */
export const STRETCH_MS_MAX = 2_000;

/**
 * The port to a second thread that watches the main one. A main thread stuck in a function that never returns can neither report
 * it nor handle a signal. Nothing here throws, and losing a note is safe.
 */
export interface Watchdog {
  /** Starts watching until the returned object is disposed. */
  watch(): Disposable;
  /** Runs the work and notes it for as long as it runs. */
  during<T>(stretch: Stretch, work: () => T): T;
  /**
   * Handles these signals for the main thread, and kills the process if the main thread does not reach the listener. The signals
   * keep their default action until one second after the first `watch`. The listener can be called more than once per signal.
   */
  hear(signals: readonly NodeJS.Signals[], listener: (signal: NodeJS.Signals) => void): Disposable;
}
