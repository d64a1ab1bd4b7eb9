import { isLeaseLost, isRoomLost } from '../errors.ts';
import type { Clock } from '../host/host.ts';
import type { Mail } from '../room/mail.ts';

/** Short, so that what a killed agent held comes back soon; it is renewed three times in each. */
export const LEASE_MS = 60_000;
const RENEW_MS = LEASE_MS / 3;

/** A claim that is renewed until it is disposed. */
export interface KeptLease extends Disposable {
  /** Aborts with `LeaseLost` when somebody else has the message, and with why the room is not there any more. */
  readonly signal: AbortSignal;
}

/** `onLook` is called about every 20 s. */
export function keepLease(mail: Mail, clock: Clock, onLook: () => void): KeptLease {
  const lost = new AbortController();
  const over = new AbortController();
  const renewing = async (): Promise<void> => {
    // A claim that somebody made before this process may be near its end.
    let pauseMs = Math.min(RENEW_MS, Math.max(0, mail.leaseEndsAtMs - clock.now()) / 3);
    while (!over.signal.aborted && !lost.signal.aborted) {
      await clock.sleep(pauseMs, over.signal);
      pauseMs = RENEW_MS;
      if (over.signal.aborted) return;
      onLook();
      try {
        await mail.renew(LEASE_MS);
      } catch (error) {
        // What only stands in the way now, such as a full disk, may be gone at the next time.
        if (isLeaseLost(error) || isRoomLost(error)) lost.abort(error);
      }
    }
  };
  void renewing();
  return { signal: lost.signal, [Symbol.dispose]: () => over.abort() };
}
