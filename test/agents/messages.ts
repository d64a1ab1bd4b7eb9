import { randomBytes } from 'node:crypto';
import { createIdSource } from '../../src/message/message-id.ts';
import type { Message } from '../../src/message/message.ts';

const ids = createIdSource(randomBytes);

/** A message from alice to bob, as a reader has it. */
export function createMessage(parts: Partial<Message>): Message {
  const id = parts.id ?? ids.next(Date.now());
  return {
    id,
    room: 'room-1',
    from: 'alice',
    to: ['bob'],
    type: 'QUESTION',
    sentAt: new Date(0).toISOString(),
    content: 'which port?',
    ...parts,
  };
}
