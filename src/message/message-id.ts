import { isHex } from '../host/hex.ts';
import { isoTime } from './format-time.ts';

/** Message ids are UUIDv7 (RFC 9562, section 5.7): their first 48 bits are the time in ms, so names sort by time. */
const ID_CHARS = 36;
/** After the dash that begins them: version 7, and the variant. */
const VERSION_AT = 14;
const VARIANT_AT = 19;
const COUNTER_BITS = 30;
const COUNTER_END = 2 ** COUNTER_BITS;

export function isMessageId(text: string): boolean {
  if (text.length !== ID_CHARS || text[VERSION_AT] !== '7' || !'89ab'.includes(text[VARIANT_AT] ?? '-')) return false;
  if (text[8] !== '-' || text[13] !== '-' || text[18] !== '-' || text[23] !== '-') return false;
  const digits = text.slice(0, 8) + text.slice(9, 13) + text.slice(14, 18) + text.slice(19, 23) + text.slice(24);
  return isHex(digits, 0, digits.length);
}

/** The time in an id, in ms since the epoch. */
export function timeOfId(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/** The prefix of every id of this time (ms). Ids and message names sort by it. */
export function idPrefixOf(timeMs: number): string {
  const time = Math.min(timeMs, ID_MS_MAX).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}`;
}

const ID_MS_MAX = 2 ** 48 - 1;

/** The UTC day of an id, `YYYY-MM-DD`. */
export function dayOfId(id: string): string {
  const timeMs = timeOfId(id);
  const day = Math.floor(timeMs / DAY_MS);
  // Mail of one day comes together, and the day of each message is computed several times.
  if (day !== last.day) last = { day, text: isoTime(timeMs).slice(0, 10) };
  return last.text;
}

const DAY_MS = 86_400_000;
let last = { day: Number.NaN, text: '' };

/** Makes message ids in ascending order, also within one ms and when the clock goes back. */
export interface IdSource {
  /**
   * Returns an id of this time, in ms since the epoch, or of the last id's time if that is later. If the last id is more than
   * `aheadMsMax` ahead, the id has this time all the same, and the order starts again.
   */
  next(timeMs: number): string;
}

/** When an `IdSource` stops counting from ids that are ahead of the clock. */
export interface IdRestart {
  /** How far ahead of the clock the last id may be, in ms. */
  readonly aheadMsMax: number;
  /** Called with how far ahead the last id was, in ms. */
  readonly onRestart: (aheadMs: number) => void;
}

/**
 * Makes a source of message ids. The 30 bits behind the time count up within one ms (RFC 9562, 6.2, method 1).
 *
 * @param randomBytes Returns this many unpredictable bytes, as `nodeHost.randomBytes` does.
 * @param restart When to return to the time of the clock. Default: never.
 *
 * @example
 * ```ts
 * import { createIdSource, openRoom } from 'agent-mailroom';
 * import { nodeHost } from 'agent-mailroom/runtime';
 *
 * const ids = createIdSource(nodeHost.randomBytes);
 * await using room = await openRoom();
 * // Stored before the send, so that a retry after a crash delivers the message once.
 * const id = ids.next(Date.now());
 * await room.agent('alice').send({ to: 'bob', type: 'INFO', content: 'Done.', id });
 * ```
 */
export function createIdSource(randomBytes: (length: number) => Uint8Array, restart?: IdRestart): IdSource {
  let lastMs = -1;
  let counter = 0;
  return {
    next: (timeMs) => {
      const random = Buffer.from(randomBytes(10));
      const aheadMs = lastMs - timeMs;
      const isTooFar = restart !== undefined && aheadMs > restart.aheadMsMax;
      if (isTooFar) restart.onRestart(aheadMs);
      if (timeMs > lastMs || isTooFar) {
        lastMs = timeMs;
        // Half of the range stays free for counting.
        counter = random.readUInt32BE(0) % (COUNTER_END / 2);
      } else if (++counter === COUNTER_END) {
        lastMs += 1;
        counter = 0;
      }
      const high = (counter >>> 18).toString(16).padStart(3, '0');
      const middle = (0x8000 | ((counter >>> 4) & 0x3fff)).toString(16);
      const low = (counter & 0xf).toString(16) + random.toString('hex', 4, 10).slice(1);
      return `${idPrefixOf(lastMs)}-7${high}-${middle}-${low}`;
    },
  };
}
