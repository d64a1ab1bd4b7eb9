import { InvalidInput, MessageRefused } from '../errors.ts';
import type { Durability } from '../mailbox/mailbox.ts';
import { echo } from '../message/cut.ts';
import { isMessageId, timeOfId } from '../message/message-id.ts';
import { assertDeclaredType, isCommonType } from '../message/message-type.ts';
import { THREAD_ID_CHARS_MAX, type Message } from '../message/message.ts';
import { formatTime } from '../message/format-time.ts';
import { listCards, type RoomContext } from './context.ts';

/** A message that is to be read later than this is no message; far below where times stop being representable. */
export const EXPIRY_MS_MAX = 365 * 86_400_000;

const LAST_TIME_MS = Date.parse('9999-12-31T23:59:59.999Z');

/** What an actor says; the rest of the message is made when it is sent. */
export interface Draft {
  readonly type: string;
  /** Text for a reader. */
  readonly content: string;
  /** JSON for a program. */
  readonly data?: unknown;
  readonly threadId?: string | undefined;
  /** The id of the message this one answers. */
  readonly replyTo?: string | undefined;
  readonly needsAck?: boolean | undefined;
  /** Ms after its sending at which it is no longer worth reading. */
  readonly expiresInMs?: number | undefined;
  /** The id of an earlier try of the same message (UUIDv7): it is then delivered once, however often it is sent. */
  readonly id?: string | undefined;
  /** `power` survives a power loss, `process` only the end of the process; the room's when not given. */
  readonly durability?: Durability | undefined;
}

/** Everything a draft can have wrong, before it is charged. Throws `InvalidInput`, and `MessageRefused` for an id of a time to come. */
export function assertDraft(context: RoomContext, draft: Draft): void {
  const { type, id, replyTo, threadId, expiresInMs } = draft;
  if (!isCommonType(type)) {
    assertDeclaredType(type, new Set(listCards(context).flatMap((card) => [...card.accepts])));
  }
  if (id !== undefined && !isMessageId(id)) {
    throw new InvalidInput(`The id ${echo(id)} is no UUIDv7 in lower case.`, {
      hint: 'Leave the id out, or give the one that an earlier try reported.',
    });
  }
  if (id !== undefined && timeOfId(id) > LAST_TIME_MS) {
    throw new InvalidInput(`The id ${id} is of a year beyond 9999, which no message has.`, {
      hint: 'Leave the id out, or give the one that an earlier try reported.',
    });
  }
  if (id !== undefined) assertIdInTime(context, id);
  if (replyTo !== undefined && !isMessageId(replyTo)) {
    throw new InvalidInput(`The message answered, ${echo(replyTo)}, is no UUIDv7 in lower case.`);
  }
  if (threadId !== undefined && (threadId.length === 0 || threadId.length > THREAD_ID_CHARS_MAX)) {
    throw new InvalidInput(`The thread id has ${threadId.length} characters: expected 1 to ${THREAD_ID_CHARS_MAX}.`);
  }
  assertExpiry(expiresInMs);
}

/**
 * Throws `MessageRefused` for an id further ahead of the clock than a reader takes it: what is sent under it now would wait
 * unread, while it is called delivered. See `isTooEarly`.
 */
export function assertIdInTime({ host, config }: RoomContext, id: string): void {
  if (timeOfId(id) <= host.clock.now() + config.limits.clockSkewMsMax) return;
  const [time, now] = [timeOfId(id), host.clock.now()].map(formatTime);
  throw new MessageRefused(
    `The message ${id} was not sent now: its id is of ${time}, and this machine's clock says ${now}.`,
    {
      reason: FROM_THE_FUTURE,
      hint: 'Compare the clock with the right time (date -u). Send it once more with the same id when the clock is right.',
    },
  );
}

const FROM_THE_FUTURE = 'from-the-future';

/** Whether it was refused by `assertIdInTime`, which passes as soon as the clock agrees. */
export function isTooEarly(error: unknown): boolean {
  return error instanceof MessageRefused && error.reason === FROM_THE_FUTURE;
}

/** Throws `InvalidInput` for what no message can expire at. */
export function assertExpiry(expiresInMs: number | undefined): void {
  if (expiresInMs === undefined) return;
  if (Number.isSafeInteger(expiresInMs) && expiresInMs > 0 && expiresInMs <= EXPIRY_MS_MAX) return;
  throw new InvalidInput(
    `The expiry is ${expiresInMs}: expected a whole number of ms from 1 to ${EXPIRY_MS_MAX} (a year).`,
  );
}

/** The message that a draft becomes under its id. The same draft under the same id is always the same message. */
export function messageOf(
  context: RoomContext,
  { id, from, to, draft }: { id: string; from: string; to: readonly string[]; draft: Draft },
): Message {
  const timeMs = timeOfId(id);
  const { type, content, data, threadId, replyTo, needsAck, expiresInMs } = draft;
  const sentAt = new Date(timeMs).toISOString();
  const message: Writable<Message> = { id, room: context.config.roomId, from, to, type, sentAt, content };
  if (data !== undefined) message.data = data;
  if (threadId !== undefined) message.threadId = threadId;
  if (replyTo !== undefined) message.replyTo = replyTo;
  if (needsAck !== undefined) message.needsAck = needsAck;
  // Counted from the id's time, so that a repeated send has the same bytes.
  if (expiresInMs !== undefined) message.expiresAt = new Date(timeMs + expiresInMs).toISOString();
  return message;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };
