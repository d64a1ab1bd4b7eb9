/** Time, injectable. All times are ms; `now` is since the epoch. */
export interface Clock {
  now(): number;
  /** Ms since the machine started: does not jump when somebody sets the wall clock. */
  uptimeMs(): number;
  /** Resolves after the time or as soon as the signal aborts; never rejects. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}
