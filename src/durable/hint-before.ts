import type { Clock } from '../host/clock.ts';
import type { Arrivals } from '../mailbox/arrivals.ts';

/** The longest that a timer of Node can wait (setTimeout: 2³¹ − 1 ms); whatever is later is looked at again then. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Resolves at the next hint, and after `waitMs` at the latest; Infinity for no such end. */
export async function hintBefore(arrivals: Arrivals, clock: Clock, waitMs: number): Promise<void> {
  if (waitMs === Infinity) return arrivals.next();
  const over = new AbortController();
  const sleptMs = Math.min(Math.max(waitMs, 0), TIMER_MS_MAX);
  void clock.sleep(sleptMs, over.signal).then(() => {
    if (!over.signal.aborted) arrivals.hint();
  });
  await arrivals.next();
  over.abort();
}
