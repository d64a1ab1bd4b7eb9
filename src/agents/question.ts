import { sha256Hex } from '../host/sha256.ts';
import { isMessageType, MessageType } from '../message/message-type.ts';
import type { Message } from '../message/message.ts';

/** The types that always ask for an answer. */
const ASKING: ReadonlySet<string> = new Set([MessageType.QUESTION, MessageType.REVIEW_REQUEST]);
const KEY_HASH_CHARS = 32;
const ID_CHARS = 36;

/**
 * Whether the command must answer a message. A reply needs an answer only if its type is one that asks. Because no reply of
 * an agent has such a type (`replyTypeOf`), two agents never answer each other endlessly.
 */
export function isQuestion(
  message: Message,
  { address, types }: { address: string; types: ReadonlySet<string> },
): boolean {
  if (message.from === address) return false;
  return ASKING.has(message.type) || (types.has(message.type) && message.replyTo === undefined);
}

/** The conversation that a message and its replies belong to. */
export function threadOf({ id, threadId = id }: Message): string {
  return threadId;
}

/**
 * The name of a question's records and jobs. Unique among the questions of all agents in all rooms, even if a sender reuses
 * an id.
 */
export function questionKey(address: string, { room, from, id }: Message): string {
  return `${id}.${hashOf('question', room, address, from, id).slice(0, KEY_HASH_CHARS)}`;
}

/** The message id in a key. Undefined for any other name. */
export function idOfKey(key: string): string | undefined {
  return /^[0-9a-f-]{36}\.[0-9a-f]{32}$/.test(key) ? key.slice(0, ID_CHARS) : undefined;
}

/** The name of a thread's file; hashed, because a thread's id can be any text. */
export function threadKey(threadId: string): string {
  return hashOf('thread', threadId).slice(0, KEY_HASH_CHARS);
}

/**
 * The id of the reply to a question: a UUIDv7 of the time at which it was stored; its other bits are a hash of the question.
 * So a reply is never older than its question, and two replies to one question that were stored at the same time have one id.
 */
export function replyId(address: string, { room, from, id }: Message, timeMs: number): string {
  const time = timeMs.toString(16).padStart(12, '0');
  const hash = hashOf('reply', room, address, from, id);
  const variant = '89ab'[Number.parseInt(hash.slice(3, 4), 16) % 4] ?? '8';
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hash.slice(0, 3)}-${variant}${hash.slice(4, 7)}-${hash.slice(7, 19)}`;
}

function hashOf(...parts: readonly string[]): string {
  return sha256Hex(JSON.stringify(parts));
}

/** What the asker wants of the answer, from the question's `data`. */
export interface Wishes {
  /** JSON Schema. */
  readonly replySchema?: unknown;
  readonly replyType?: string;
}

export function wishesOf({ data }: Message): Wishes {
  if (typeof data !== 'object' || data === null) return {};
  const { replySchema, replyType } = data as Readonly<Record<string, unknown>>;
  return {
    ...(replySchema === undefined ? {} : { replySchema }),
    ...(typeof replyType === 'string' ? { replyType } : {}),
  };
}

/**
 * The type of a reply: the first type wanted by the command or the asker that the asker understands and that asks for no
 * answer; else INFO. A review request gets REVIEW-FEEDBACK if the asker understands it.
 */
export function replyTypeOf(
  question: Message,
  { wanted, understood }: { wanted: string | undefined; understood: (type: string) => boolean },
): string {
  const feedback = question.type === MessageType.REVIEW_REQUEST ? 'REVIEW-FEEDBACK' : undefined;
  const found = [wanted, wishesOf(question).replyType, feedback].find(
    (type) => type !== undefined && isMessageType(type) && !ASKING.has(type) && understood(type),
  );
  return found ?? MessageType.INFO;
}
