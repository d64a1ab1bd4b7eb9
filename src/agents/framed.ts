import { dataJson } from '../message/exact-data.ts';
import type { Message } from '../message/message.ts';
import { visibleJson, visibleJsonText, visibleLines } from '../message/visible.ts';

const FENCE_BYTES = 16;
const FENCE_TRIES_MAX = 8;

/**
 * A word that none of the texts contains, for the lines around what others wrote: whoever wrote it could not know the word,
 * and so cannot write the line that ends it.
 */
export function createFence(randomBytes: (length: number) => Uint8Array, texts: readonly string[]): string {
  for (let tries = 0; tries < FENCE_TRIES_MAX; tries++) {
    const fence = Buffer.from(randomBytes(FENCE_BYTES)).toString('hex');
    if (!texts.some((text) => text.includes(fence))) return fence;
  }
  throw new RangeError(`of ${FENCE_TRIES_MAX} random fences each was in the text; the random numbers are not random`);
}

/** Text of others between two lines that only this program can have written. What acts on a terminal is escaped. */
export function fenced(text: string, { name, fence }: { name: string; fence: string }): string {
  return `<<<${name} ${fence}\n${visibleLines(text)}\n${name} ${fence}>>>`;
}

/** What a model is shown of a message. */
export type Shown = Pick<Message, 'from' | 'type' | 'sentAt' | 'id' | 'content'> &
  Partial<Pick<Message, 'to' | 'replyTo' | 'threadId' | 'data'>>;

/** A message as a model is shown it: the verified facts outside, everything that its sender chose inside. */
export function framedMessage(message: Shown, fence: string): string {
  const { from, to, type, sentAt, id, replyTo, threadId, content, data } = message;
  const facts = [
    `From: ${from} (verified)`,
    `Type: ${type}`,
    `Sent: ${sentAt}`,
    `Id: ${id}`,
    ...(to?.[0] === 'all' ? ['To: everyone in the room'] : []),
    ...(replyTo === undefined ? [] : [`Answers: ${replyTo}`]),
  ];
  const chosen = [
    ...(threadId === undefined ? [] : [`Thread: ${visibleJson(threadId)}`, '']),
    content,
    ...(data === undefined ? [] : ['', `Data: ${visibleJsonText(dataJson(message))}`]),
  ];
  return `${facts.join('\n')}\n${fenced(chosen.join('\n'), { name: 'MAIL', fence })}`;
}
