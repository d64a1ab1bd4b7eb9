import { MailroomError } from '../errors.ts';
import { END } from '../machine/control.ts';
import { endingWithout } from '../machine/ending.ts';
import type { PlannedMail } from '../machine/outgoing-mail.ts';
import { errorFacts, type ErrorFacts } from '../machine/plain-facts.ts';
import { EVERYONE } from '../message/address.ts';
import { unframe } from '../message/frame.ts';
import { messageFileName } from '../message/layout.ts';
import type { Message } from '../message/message.ts';
import type { RoomContext } from '../room/context.ts';
import { messageOf } from '../room/draft.ts';
import { audience } from '../room/recipients.ts';
import { sealMessage, type SealedMessage } from '../signing/seal.ts';
import { withFields } from '../host/with-fields.ts';
import type { OutboxEntry } from './journal-record.ts';

/**
 * Makes and signs a message that a step sends. Who a broadcast goes to is settled here, once. What cannot be made is an entry
 * all the same, which says why; an END is made without what it cannot carry (`withoutOutput`, why), because a parent waits for it.
 */
export function sealEntry(
  context: RoomContext,
  {
    mail,
    from,
    withoutOutput,
    isAnew = false,
  }: { mail: PlannedMail; from: string; withoutOutput?: ErrorFacts | undefined; isAnew?: boolean },
): OutboxEntry {
  const { id, effectId, to, draft, isControl, ask } = mail;
  const entry = {
    id,
    effectId,
    to,
    type: draft.type,
    content: draft.content,
    ...(isControl ? { isControl: true as const } : {}),
    ...(ask === undefined ? {} : { ask }),
    ...(withoutOutput === undefined ? {} : { withoutOutput }),
  };
  try {
    const recipients = to[0] === EVERYONE ? { recipients: audience(context, from).map(({ address }) => address) } : {};
    const message = messageOf(context, { id, from, to, draft });
    const sealed = sealMessage(message, { key: context.keyring.signerOf(from), limits: context.config.limits });
    const made = withFields(entry, { ...recipients, file: sealed.bytes.toString('utf8') });
    justSealed.set(made, sealed);
    return made;
  } catch (error) {
    // What the system refuses for now (a key that cannot be read) is no fault of the message.
    if (!(error instanceof MailroomError) || error.code === 'ROOM_REFUSED') throw error;
    // It is refused for good, so not by limits that are only remembered.
    if (!isAnew) {
      context.standing.readAnew();
      return sealEntry(context, { mail, from, withoutOutput, isAnew: true });
    }
    const refusal = errorFacts(error);
    const isWhole = isControl && draft.type === END && withoutOutput === undefined;
    return isWhole
      ? sealEntry(context, { mail: endingWithout(mail, refusal), from, withoutOutput: refusal })
      : { ...entry, refusal };
  }
}

/** What this process made itself need not be taken apart again. */
const justSealed = new WeakMap<OutboxEntry, SealedMessage>();

/** The signed message of an entry; undefined for one that could not be made. */
export function openEntry(entry: OutboxEntry): SealedMessage | undefined {
  const { file } = entry;
  if (file === undefined) return undefined;
  const known = justSealed.get(entry);
  if (known) return known;
  const bytes = Buffer.from(file, 'utf8');
  const framed = unframe(bytes);
  if (!framed) throw new TypeError('the journal holds a message that is not whole');
  const { v: _version, ...message } = JSON.parse(framed.signed.toString('utf8')) as Message & { v: number };
  return { message, name: messageFileName(message), bytes, signed: framed.signed };
}
