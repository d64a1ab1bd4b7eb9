import { Conflict, InvalidInput, MessageNotFound } from '../errors.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { statusIn, type MessageStatus } from '../mailbox/status.ts';
import { echo } from '../message/cut.ts';

const ID_ENDING = /^[0-9a-f-]{4,36}$/;
/**
 * An ending this long is certain enough for a message that is not handled yet; a shorter one might mean a handled one.
 */
const SURE_ENDING_CHARS = 8;

/** Throws `InvalidInput` for text that is neither an id nor an ending of one with at least 4 characters. */
export function assertIdEnding(text: string): void {
  if (ID_ENDING.test(text)) return;
  throw new InvalidInput(
    `${echo(text)} is not a message id: expected a UUID in lower case, or at least its last 4 characters.`,
    { hint: 'See the ids: mailroom inbox' },
  );
}

/**
 * Where one message is in one mailbox, by its id or an ending that is unique there. Throws `InvalidInput`,
 * `MessageNotFound`, and `Conflict` if several messages have that ending.
 */
export function findMail(mailbox: Mailbox, idEnding: string): MessageStatus {
  assertIdEnding(idEnding);
  const { address } = mailbox;
  let found: MessageStatus[] = [];
  // There may be many days of handled mail, so they are read only if needed.
  if (idEnding.length >= SURE_ENDING_CHARS) found = statusIn(mailbox, { idEnding, history: false });
  if (found.length === 0) found = statusIn(mailbox, { idEnding, history: true });
  const names = new Set(found.map(({ id, from }) => `${id} from ${from}`));
  // A message that was sent again is in two places; the one further along is the one that was handled.
  const [last] = found.slice(-1);
  if (!last) {
    throw new MessageNotFound(`The mailbox of ${address} has no message with an id ending in ${idEnding}.`, {
      hint: 'See what is there: mailroom inbox',
    });
  }
  if (names.size > 1) {
    const shown = [...names].slice(0, 5).join(', ');
    throw new Conflict(`${names.size} messages of ${address} have an id ending in ${idEnding}: ${shown}.`, {
      hint: 'Give more characters of the id.',
    });
  }
  return last;
}
