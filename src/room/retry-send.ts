import { isMailroomError, isRoomLost, type ErrorCode, RateLimitExceeded } from '../errors.ts';
import { createGrowingWait } from '../host/growing-wait.ts';
import type { Clock } from '../host/host.ts';
import { isTooEarly } from './draft.ts';

/** How `Agent.send` retries a message whose delivery failed for a reason that can pass. */
export interface SendRetry {
  /** How many times to try; waits for the rate limit are not counted. Default: 8, which takes about 30 s. */
  readonly triesMax?: number | undefined;
  /** Ends the retries when it aborts: `send` then rejects with the signal's reason. Default: never. */
  readonly signal?: AbortSignal | undefined;
}

const TRIES_MAX_DEFAULT = 8;
const GROWTH = { msMin: 250, msMax: 60_000 };

const CODES_THAT_PASS: ReadonlySet<ErrorCode> = new Set([
  'MAILBOX_FULL',
  'MESSAGE_DELIVERY',
  'TIMEOUT',
  'ROOM_REFUSED',
]);

/** Whether a send that failed like this can succeed later, with the same id and the same bytes. */
export function mayPass(error: unknown): boolean {
  return isMailroomError(error) && !isRoomLost(error) && (CODES_THAT_PASS.has(error.code) || isTooEarly(error));
}

/**
 * Sends, and retries while that may help: `send` sends the same message under the given id each time. Waits for the rate
 * limit. Rejects with the last error, immediately if the error cannot pass or the id is from the future.
 *
 * A message expires by the time in its id, so the id is made anew as long as the rate limit has refused every try.
 */
export async function retrySend<T>(
  clock: Clock,
  { triesMax = TRIES_MAX_DEFAULT, signal, nextId }: SendRetry & { readonly nextId: () => string },
  send: (id: string) => Promise<T>,
): Promise<T> {
  const wait = createGrowingWait(clock, GROWTH, signal);
  let id = nextId();
  for (let tries = 1; ;) {
    signal?.throwIfAborted();
    try {
      return await send(id);
    } catch (error) {
      if (error instanceof RateLimitExceeded) {
        await clock.sleep(Math.max(error.retryAt - clock.now(), GROWTH.msMin), signal);
        if (tries === 1) id = nextId();
        continue;
      }
      if (!mayPass(error) || isTooEarly(error) || tries++ >= triesMax) throw error;
    }
    await wait();
  }
}
