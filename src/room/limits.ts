import { InvalidInput } from '../errors.ts';
import type { LogLimits } from '../log/event-log.ts';
import type { MailboxLimits } from '../mailbox/mailbox.ts';
import { JSON_DEPTH_CEILING, MESSAGE_BYTES_CEILING, type MessageLimits } from '../message/message.ts';
import { cut } from '../message/cut.ts';
import { RATE_LIMIT_MAX } from '../rate/counter.ts';
import { nearest } from '../message/nearest.ts';

/** Every bound of a room, in one place. Each can be set under `limits` in `room.json`. */
export interface RoomLimits extends MessageLimits, MailboxLimits, LogLimits {
  /** Messages one sender may send in `rateWindowMs`; a broadcast counts once. */
  readonly rateLimit: number;
  readonly rateWindowMs: number;
  /** Bytes at which one file of a sender's counter is followed by the next; more where the limit itself needs more. */
  readonly rateSegmentBytesMax: number;
  /** How long a grant may lie between the look and its use, in ms. */
  readonly grantUseMsMax: number;
  /** How long to wait for the lock that smooths contention, in ms. */
  readonly lockWaitMsMax: number;
  /** Recipients of one broadcast. */
  readonly broadcastRecipientsMax: number;
  /** How long a claim lasts when nothing else is said, in ms. */
  readonly leaseMs: number;
  /** How often a waiting reader lists its mailbox when nothing hints at mail, in ms. */
  readonly pollMs: number;
  /** How long a nudge counts as outstanding when its agent shows no sign of life, in ms. */
  readonly nudgeOutstandingMsMax: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export const DEFAULT_LIMITS: RoomLimits = {
  messageBytesMax: 256 * 1024,
  jsonDepthMax: 64,
  clockSkewMsMax: 24 * HOUR_MS,
  newMessagesMax: 10_000,
  attemptsMax: 5,
  leaseMs: 10 * MINUTE_MS,
  leaseMsMax: 24 * HOUR_MS,
  tmpAgeMsMax: HOUR_MS,
  doneDaysKept: 30,
  rateLimit: 30,
  rateWindowMs: MINUTE_MS,
  rateSegmentBytesMax: 16 * 1024,
  grantUseMsMax: 250,
  lockWaitMsMax: 300,
  broadcastRecipientsMax: 1_000,
  pollMs: 1_000,
  nudgeOutstandingMsMax: 10 * MINUTE_MS,
  logBytesMax: 10 * 1024 * 1024,
  logFilesKept: 5,
  logContentChars: 200,
};

/** So much of a wrong value is shown. */
const VALUE_CHARS_MAX = 60;
const CENTURY_MS = 36_525 * 24 * HOUR_MS;
/** What a timer can wait; a longer one ends at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** The greatest value of each limit, the smallest is 1. Beyond it something would fail later, far from room.json. */
export const LIMIT_MAXIMA: Readonly<Record<keyof RoomLimits, number>> = {
  // What no reader takes, no sender may be allowed to write.
  messageBytesMax: MESSAGE_BYTES_CEILING,
  jsonDepthMax: JSON_DEPTH_CEILING,
  clockSkewMsMax: CENTURY_MS,
  newMessagesMax: 10_000_000,
  // The name of a claim has room for six digits, and for the attempt at which a message is given up.
  attemptsMax: 999_998,
  leaseMs: TIMER_MS_MAX,
  leaseMsMax: TIMER_MS_MAX,
  tmpAgeMsMax: CENTURY_MS,
  doneDaysKept: 36_525,
  rateLimit: RATE_LIMIT_MAX,
  // Whoever waits for the end of the window waits 1 ms more.
  rateWindowMs: TIMER_MS_MAX - 1,
  rateSegmentBytesMax: 2 ** 30,
  grantUseMsMax: TIMER_MS_MAX,
  // The lock is tried every 20 ms, and the list of tries is made beforehand.
  lockWaitMsMax: 60_000,
  broadcastRecipientsMax: 1_000_000,
  pollMs: TIMER_MS_MAX,
  nudgeOutstandingMsMax: CENTURY_MS,
  logBytesMax: 2 ** 40,
  logFilesKept: 10_000,
  logContentChars: 1_000_000,
};

/** The defaults with what `room.json` sets. Throws `InvalidInput` for an unknown name or a value outside its range. */
export function readLimits(set: unknown, where: string): RoomLimits {
  if (set === undefined) return DEFAULT_LIMITS;
  if (typeof set !== 'object' || set === null || Array.isArray(set)) {
    throw new InvalidInput(`${where} is no object: expected limits by name, such as {"rateLimit": 60}.`);
  }
  for (const [name, value] of Object.entries(set)) {
    if (!Object.hasOwn(DEFAULT_LIMITS, name)) {
      const near = nearest(name, Object.keys(DEFAULT_LIMITS));
      throw new InvalidInput(`${where} has an unknown limit "${name}".`, {
        hint: near ? `Did you mean ${near}?` : `Known are ${Object.keys(DEFAULT_LIMITS).join(', ')}.`,
      });
    }
    const limit = name as keyof RoomLimits;
    const most = LIMIT_MAXIMA[limit];
    if (!Number.isSafeInteger(value) || (value as number) < 1 || (value as number) > most) {
      throw new InvalidInput(
        `${where}.${name} is ${cut(JSON.stringify(value), { charsMax: VALUE_CHARS_MAX })}: expected a whole number from 1 to ${most}.`,
        { hint: `Set it to one within that range, or leave it out for the default, ${DEFAULT_LIMITS[limit]}.` },
      );
    }
  }
  return { ...DEFAULT_LIMITS, ...set };
}
