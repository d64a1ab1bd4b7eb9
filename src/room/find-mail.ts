import { Conflict, InvalidInput, MessageNotFound } from '../errors.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { statusIn, type MessageStatus } from '../mailbox/status.ts';
import { echo } from '../message/cut.ts';

const ID_ENDING = /^[0-9a-f-]{4,36}$/;
/** So many characters are enough for a message that is still to be dealt with; fewer might mean one of the past. */
const SURE_ENDING_CHARS = 8;

/** Throws `InvalidInput` for what is no id and no ending of one that has at least 4 characters. */
export function assertIdEnding(text: string): void {
  if (ID_ENDING.test(text)) return;
  throw new InvalidInput(
    `${echo(text)} is no message id: expected a UUID in lower case, or at least its last 4 characters.`,
    { hint: 'See the ids: mailroom inbox' },
  );
}

/**
 * Where one message lies in one mailbox, by its id or an ending that no other message there has. Throws `InvalidInput`,
 * `MessageNotFound`, and `Conflict` when several messages have that ending.
 */
export function findMail(mailbox: Mailbox, idEnding: string): MessageStatus {
  assertIdEnding(idEnding);
  const { address } = mailbox;
  let found: MessageStatus[] = [];
  // The days that were dealt with may be many, so they are read only when there is need to.
  if (idEnding.length >= SURE_ENDING_CHARS) found = statusIn(mailbox, { idEnding, history: false });
  if (found.length === 0) found = statusIn(mailbox, { idEnding, history: true });
  const names = new Set(found.map(({ id, from }) => `${id} from ${from}`));
  // A message that was sent again lies in two places; the one further along its way is the one that was dealt with.
  const [last] = found.slice(-1);
  if (!last) {
    throw new MessageNotFound(`The mailbox of ${address} has no message with an id ending in ${idEnding}.`, {
      hint: 'See what is there: mailroom inbox',
    });
  }
  if (names.size > 1) {
    const shown = [...names].slice(0, 5).join(', ');
    throw new Conflict(`${names.size} messages of ${address} have an id ending in ${idEnding}: ${shown}.`, {
      hint: 'Give more of its characters.',
    });
  }
  return last;
}
