import { sha256Hex } from '../host/sha256.ts';
import { isMessageType, MessageType } from '../message/message-type.ts';
import type { Message } from '../message/message.ts';

/** The types that ask for something by themselves. */
const ASKING: ReadonlySet<string> = new Set([MessageType.QUESTION, MessageType.REVIEW_REQUEST]);
const KEY_HASH_CHARS = 32;
const ID_CHARS = 36;

/**
 * Whether a message is handed to the command. A message that answers one is only if its own type asks; and because no reply
 * of an agent has such a type (`replyTypeOf`), two agents never answer each other for ever.
 */
export function isQuestion(
  message: Message,
  { address, types }: { address: string; types: ReadonlySet<string> },
): boolean {
  if (message.from === address) return false;
  return ASKING.has(message.type) || (types.has(message.type) && message.replyTo === undefined);
}

/** The conversation that a message belongs to; its replies are in the same one. */
export function threadOf({ id, threadId = id }: Message): string {
  return threadId;
}

/**
 * What the records and jobs of a question are named by: unlike any other question's of any agent in any room, whoever chose
 * the ids.
 */
export function questionKey(address: string, { room, from, id }: Message): string {
  return `${id}.${hashOf('question', room, address, from, id).slice(0, KEY_HASH_CHARS)}`;
}

/** The message id that a key begins with. */
export function idOfKey(key: string): string | undefined {
  return /^[0-9a-f-]{36}\.[0-9a-f]{32}$/.test(key) ? key.slice(0, ID_CHARS) : undefined;
}

/** The name of a thread's file: a thread's id is any text. */
export function threadKey(threadId: string): string {
  return hashOf('thread', threadId).slice(0, KEY_HASH_CHARS);
}

/**
 * The id of the reply to a question: a UUIDv7 of the time it was stored at, whose other bits are the question's. So a reply
 * is never older than what it answers, and two replies to one question that were stored at once have one id.
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

/** What the asker says about the answer, in the question's `data`. */
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
 * The type of a reply: the first of what the command and the asker want that the asker understands and that asks for
 * nothing; INFO when there is none. A review is answered by feedback where the asker takes that.
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
