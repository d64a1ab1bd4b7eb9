import { Conflict, MessageNotFound } from '../errors.ts';
import { statusIn, type MessageStatus } from '../mailbox/status.ts';
import { listAddresses, mailboxOf, type RoomContext } from './context.ts';
import { assertIdEnding } from './find-mail.ts';

/**
 * Where a message is, one entry per recipient. Throws `InvalidInput` for an ending of fewer than 4 characters,
 * `MessageNotFound`, and `Conflict` if several messages have that ending.
 */
export function statusOf(context: RoomContext, idEnding: string): MessageStatus[] {
  assertIdEnding(idEnding);
  const found = listAddresses(context).flatMap((address) => {
    const mailbox = mailboxOf(context, address);
    return mailbox ? statusIn(mailbox, { idEnding, history: true }) : [];
  });
  const ids = [...new Set(found.map(({ id }) => id))];
  if (ids.length === 0) {
    throw new MessageNotFound(`No message with an id ending in ${idEnding} is in any mailbox of this room.`, {
      hint: 'It may have been purged, or never delivered. See: mailroom log',
    });
  }
  if (ids.length > 1) {
    throw new Conflict(`${ids.length} messages have an id ending in ${idEnding}: ${ids.slice(0, 5).join(', ')}.`, {
      hint: 'Give more characters of the id.',
    });
  }
  return found;
}
