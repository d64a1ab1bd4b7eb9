/** Something that the main thread does and that returns in no time, unless what a user wrote never does. */
export interface Stretch {
  /** Where it is noted while it lasts. */
  readonly path: string;
  /** What it is on; inert, because it is shown. */
  readonly cause: string;
}

/** From here on a stretch is one to talk of: whoever reads a note looks how old it is. */
export const STRETCH_MS_MAX = 2_000;

/**
 * Watches the main thread, which can do nothing by itself in a function that never returns: neither say what holds it, nor hear
 * a signal. What it watches is one stretch at a time; nothing here ever throws, and losing a note is always safe.
 */
export interface Watchdog {
  /** Stretches may come; what it needs for them is let go at the end of the last of these. */
  watch(): Disposable;
  /** Does the work, which is noted while it lasts. */
  during<T>(stretch: Stretch, work: () => T): T;
  /**
   * Hears these signals in place of the main thread, and ends the process by SIGKILL where the main thread does not come to the
   * listener. Until a second after the first watch nobody hears them, so that they keep their default action. The listener may be
   * called more than once for one signal.
   */
  hear(signals: readonly NodeJS.Signals[], listener: (signal: NodeJS.Signals) => void): Disposable;
}
