import { InvalidInput, MessageRefused } from '../errors.ts';
import type { Durability } from '../mailbox/mailbox.ts';
import { echo } from '../message/cut.ts';
import { isMessageId, timeOfId } from '../message/message-id.ts';
import { assertDeclaredType, isCommonType } from '../message/message-type.ts';
import { THREAD_ID_CHARS_MAX, type Message } from '../message/message.ts';
import { formatTime, isoTime } from '../message/format-time.ts';
import { listCards, type RoomContext } from './context.ts';

/** A longer expiry is refused; this is far below where times stop being representable. */
export const EXPIRY_MS_MAX = 365 * 86_400_000;

const LAST_TIME_MS = Date.parse('9999-12-31T23:59:59.999Z');

/** What a sender says. Id, time and sender are added when the message is sent. */
export interface Draft {
  /** A common message type, or one that an actor of the room declares. */
  readonly type: string;
  /** Text for a reader. */
  readonly content: string;
  /** JSON for a program. Default: none. */
  readonly data?: unknown;
  /** The conversation that the message belongs to, 1 to 200 characters. Default: none. */
  readonly threadId?: string | undefined;
  /** The id of the message that this one answers. Default: none. */
  readonly replyTo?: string | undefined;
  /** Ask the recipient to acknowledge the message. Default: false. */
  readonly needsAck?: boolean | undefined;
  /** The message expires this many ms after it is sent: 1 to a year. Default: never. */
  readonly expiresInMs?: number | undefined;
  /** The id of an earlier try of the same draft (a UUIDv7), so that the message arrives once. Default: a new id. */
  readonly id?: string | undefined;
  /** What a delivered message survives. Default: the durability that the room was opened with. */
  readonly durability?: Durability | undefined;
}

/**
 * Checks everything in a draft before it is charged. Throws `InvalidInput`, and `MessageRefused` for an id from the
 * future.
 */
export function assertDraft(context: RoomContext, draft: Draft): void {
  const { type, id, replyTo, threadId, expiresInMs } = draft;
  if (!isCommonType(type)) {
    assertDeclaredType(type, new Set(listCards(context).flatMap((card) => [...card.accepts])));
  }
  if (id !== undefined && !isMessageId(id)) {
    throw new InvalidInput(`The id ${echo(id)} is not a UUIDv7 in lower case.`, {
      hint: 'Leave the id out, or pass the one that an earlier attempt reported.',
    });
  }
  if (id !== undefined && timeOfId(id) > LAST_TIME_MS) {
    throw new InvalidInput(`The id ${id} is from a year beyond 9999, which no message can have.`, {
      hint: 'Leave the id out, or pass the one that an earlier attempt reported.',
    });
  }
  if (id !== undefined) assertIdInTime(context, id);
  if (replyTo !== undefined && !isMessageId(replyTo)) {
    throw new InvalidInput(`The id of the message to reply to, ${echo(replyTo)}, is not a UUIDv7 in lower case.`);
  }
  if (threadId !== undefined && (threadId.length === 0 || threadId.length > THREAD_ID_CHARS_MAX)) {
    throw new InvalidInput(`The thread id has ${threadId.length} characters: expected 1 to ${THREAD_ID_CHARS_MAX}.`);
  }
  assertExpiry(expiresInMs);
}

/**
 * Throws `MessageRefused` for an id further ahead of the clock than a reader accepts: a message sent under it now would
 * wait unread, yet be reported as delivered. See `isTooEarly`.
 */
export function assertIdInTime({ host, config }: RoomContext, id: string): void {
  if (timeOfId(id) <= host.clock.now() + config.limits.clockSkewMsMax) return;
  const [time, now] = [timeOfId(id), host.clock.now()].map(formatTime);
  throw new MessageRefused(
    `The message ${id} was not sent now: its id is from ${time}, but this machine's clock says ${now}.`,
    {
      reason: FROM_THE_FUTURE,
      hint: 'Compare the clock with the right time (date -u). Retry with the same id once the clock is right.',
    },
  );
}

const FROM_THE_FUTURE = 'from-the-future';

/** Whether `assertIdInTime` refused it, which stops once the clock catches up. */
export function isTooEarly(error: unknown): boolean {
  return error instanceof MessageRefused && error.reason === FROM_THE_FUTURE;
}

/** Throws `InvalidInput` for an expiry that no message can have. */
export function assertExpiry(expiresInMs: number | undefined): void {
  if (expiresInMs === undefined) return;
  if (Number.isSafeInteger(expiresInMs) && expiresInMs > 0 && expiresInMs <= EXPIRY_MS_MAX) return;
  throw new InvalidInput(
    `The expiry is ${expiresInMs}: expected a whole number of ms from 1 to ${EXPIRY_MS_MAX} (a year).`,
  );
}

/** The message that a draft becomes under its id. The same draft and id always give the same message. */
export function messageOf(
  context: RoomContext,
  { id, from, to, draft }: { id: string; from: string; to: readonly string[]; draft: Draft },
): Message {
  const timeMs = timeOfId(id);
  const { type, content, data, threadId, replyTo, needsAck, expiresInMs } = draft;
  const sentAt = isoTime(timeMs);
  const message: Writable<Message> = { id, room: context.config.roomId, from, to, type, sentAt, content };
  if (data !== undefined) message.data = data;
  if (threadId !== undefined) message.threadId = threadId;
  if (replyTo !== undefined) message.replyTo = replyTo;
  if (needsAck !== undefined) message.needsAck = needsAck;
  // Counted from the id's time, so that a retried send has the same bytes.
  if (expiresInMs !== undefined) message.expiresAt = isoTime(timeMs + expiresInMs);
  return message;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };
