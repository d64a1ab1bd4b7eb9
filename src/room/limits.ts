import { InvalidInput } from '../errors.ts';
import type { LogLimits } from '../log/event-log.ts';
import type { MailboxLimits } from '../mailbox/mailbox.ts';
import { JSON_DEPTH_CEILING, MESSAGE_BYTES_CEILING, type MessageLimits } from '../message/message.ts';
import { cut } from '../message/cut.ts';
import { RATE_LIMIT_MAX } from '../rate/counter.ts';
import { nearest } from '../message/nearest.ts';

/** All limits of a room, whole numbers from 1. Each can be set under `limits` in `room.json`, and per actor under `actors`. */
export interface RoomLimits extends MessageLimits, MailboxLimits, LogLimits {
  /** Messages that one sender may send within `rateWindowMs`; a broadcast counts once. Default: 30. */
  readonly rateLimit: number;
  /** The window of `rateLimit` in ms. Default: 1 minute. */
  readonly rateWindowMs: number;
  /** Size in bytes at which the next file of a sender's rate counter is started; more if `rateLimit` needs it. Default: 16 KiB. */
  readonly rateSegmentBytesMax: number;
  /** How long a send may use a grant after it read the rate counter, in ms. Default: 250 ms. */
  readonly grantUseMsMax: number;
  /** How long to wait for the lock that reduces contention, in ms. Default: 300 ms. */
  readonly lockWaitMsMax: number;
  /** Recipients of one broadcast. Default: 1,000. */
  readonly broadcastRecipientsMax: number;
  /** The default length of a lease in ms. Default: 10 minutes. */
  readonly leaseMs: number;
  /** How often a waiting reader lists its mailbox while the watcher reports nothing, in ms. Default: 1 s. */
  readonly pollMs: number;
  /** How long a nudge counts as pending while its agent shows no sign of life, in ms. Default: 10 minutes. */
  readonly nudgeOutstandingMsMax: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** The limits of a room that sets none. */
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

/** Longest part of an invalid value that is shown. */
const VALUE_CHARS_MAX = 60;
const CENTURY_MS = 36_525 * 24 * HOUR_MS;
/** The longest delay of a timer; a longer one fires at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** The maximum of each limit; the minimum is 1. Beyond it something would fail later, far from room.json. */
export const LIMIT_MAXIMA: Readonly<Record<keyof RoomLimits, number>> = {
  // A sender must not write what no reader accepts.
  messageBytesMax: MESSAGE_BYTES_CEILING,
  jsonDepthMax: JSON_DEPTH_CEILING,
  clockSkewMsMax: CENTURY_MS,
  newMessagesMax: 10_000_000,
  // A claim's file name has room for six digits, including the attempt at which a message is given up.
  attemptsMax: 999_998,
  leaseMs: TIMER_MS_MAX,
  leaseMsMax: TIMER_MS_MAX,
  tmpAgeMsMax: CENTURY_MS,
  doneDaysKept: 36_525,
  rateLimit: RATE_LIMIT_MAX,
  // A sender that waits for the end of the window waits 1 ms more.
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

/**
 * The defaults, overridden by what `room.json` sets. Throws `InvalidInput` for an unknown name or a value out of range.
 */
export function readLimits(set: unknown, where: string): RoomLimits {
  if (set === undefined) return DEFAULT_LIMITS;
  if (typeof set !== 'object' || set === null || Array.isArray(set)) {
    throw new InvalidInput(`${where} is not an object: expected limits by name, such as {"rateLimit": 60}.`);
  }
  for (const [name, value] of Object.entries(set)) {
    if (!Object.hasOwn(DEFAULT_LIMITS, name)) {
      const near = nearest(name, Object.keys(DEFAULT_LIMITS));
      throw new InvalidInput(`${where} has an unknown limit "${name}".`, {
        hint: near ? `Did you mean ${near}?` : `Known are ${Object.keys(DEFAULT_LIMITS).join(', ')}.`,
      });
    }
    const limit = name as keyof RoomLimits;
    const max = LIMIT_MAXIMA[limit];
    if (!Number.isSafeInteger(value) || (value as number) < 1 || (value as number) > max) {
      throw new InvalidInput(
        `${where}.${name} is ${cut(JSON.stringify(value), { charsMax: VALUE_CHARS_MAX })}: expected a whole number from 1 to ${max}.`,
        { hint: `Set it to one within that range, or leave it out for the default, ${DEFAULT_LIMITS[limit]}.` },
      );
    }
  }
  return { ...DEFAULT_LIMITS, ...set };
}
