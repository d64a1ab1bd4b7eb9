import type { GrantHistory } from './rate-grants.ts';

export interface RateLimit {
  /** Messages that may be granted within any window. */
  readonly limit: number;
  readonly windowMs: number;
}

export type RateDecision =
  | { readonly grantAtMs: number }
  /** Not now; `retryAt` (ms since the epoch) is when one more is allowed, if nobody else takes it. */
  | { readonly retryAt: number }
  /** The clock was set back: record that first, then decide again. */
  | { readonly clockBackToMs: number };

/** Steps back of the clock up to this are waited out, so that the times of a sender's messages go on rising. */
const CLOCK_BACK_MS_MAX = 1_000;

/**
 * Whether one more message may go at `nowMs`: if the grant `limit` before it is older than the window, both measured
 * at the time of the grant, which is never before that of the last one.
 *
 * On one machine the last grant is later than now only if the clock was set back, or had been wrong. By how much is
 * unknown, so no grant may be believed to be older than it looks, and none can be later than now: those that look
 * later are taken to be of now. So nothing is freed early, and nobody is locked out for longer than one window,
 * however far ahead the clock had been. (A clock set forward makes grants look older; nothing in a file tells that
 * from time passing.)
 */
export function decideGrant(history: GrantHistory, nowMs: number, { limit, windowMs }: RateLimit): RateDecision {
  const { lastMs } = history;
  if (lastMs > nowMs + CLOCK_BACK_MS_MAX) return { clockBackToMs: nowMs };
  const grantAtMs = Math.max(nowMs, lastMs);
  const blocking = history.before(limit);
  if (blocking === undefined || blocking.timeMs < grantAtMs - windowMs) return { grantAtMs };
  return lastMs > nowMs ? { clockBackToMs: nowMs } : { retryAt: blocking.timeMs + windowMs + 1 };
}
