import { MailroomError, MessageRefused } from '../errors.ts';
import { withFields } from '../host/with-fields.ts';
import type { OutboxEntry } from '../journal/record.ts';
import type { DeliveryOutcome } from '../mailbox/deliver.ts';
import type { Durability, Mailbox } from '../mailbox/mailbox.ts';
import type { Slot } from '../mailbox/send-order.ts';
import { EVERYONE } from '../message/address.ts';
import { unframe } from '../message/envelope.ts';
import { messageFileName } from '../message/layout.ts';
import { assertDeclaredType, isCommonType } from '../message/message-type.ts';
import type { Message } from '../message/message.ts';
import { listCards, type RoomContext } from '../room/context.ts';
import { assertIdInTime, isTooEarly, messageOf } from '../room/draft.ts';
import { deliverSealed, type SendReport } from '../room/deliver-and-log.ts';
import { audience, recipientOf } from '../room/recipients.ts';
import { type SealedMessage, sealMessage } from '../signing/seal.ts';
import { endingWithout } from '../step/ending.ts';
import type { PlannedMessage } from '../step/outgoing.ts';
import { END } from '../workflow/control.ts';
import { errorFacts, type ErrorFacts } from '../errors.ts';

export interface DeliveryAttempt {
  readonly entry: OutboxEntry;
  readonly addresses: readonly string[];
  readonly durability: Durability;
  /** An earlier attempt may have delivered the message. */
  readonly isRepeat: boolean;
  /** The delivery before this one to the same, only recipient. Resolves with whether this one may be linked; until then it waits. */
  readonly ahead: Promise<boolean> | undefined;
  /** Called when the message is in every mailbox, perhaps not yet synced. */
  readonly onLinked: () => void;
  readonly childReady: (address: string, entry: OutboxEntry) => Promise<void>;
}

/**
 * Tries once to deliver a message to these addresses. `outcomes` has one outcome for each address; `posted` has those of the
 * mailboxes that exist. Throws only if the journal holds a broken message.
 */
export async function attemptDelivery(
  context: RoomContext,
  { entry, addresses, durability, isRepeat, ahead, onLinked, childReady }: DeliveryAttempt,
): Promise<{ readonly outcomes: Map<string, DeliveryOutcome>; readonly posted: SendReport['outcomes'] }> {
  const outcomes = new Map<string, DeliveryOutcome>();
  const mailboxes: Mailbox[] = [];
  const sealed = openEntry(entry);
  for (const to of addresses) {
    try {
      // In a replaced room no recipient would be found, and the message would be refused for good.
      context.standing.assertSame();
      if (!sealed) throw new MessageRefused(entry.refusal?.message ?? 'it could not be made', { reason: 'rejected' });
      if (entry.isControl) await childReady(to, entry);
      else assertType(context, entry.type);
      assertIdInTime(context, entry.id);
      mailboxes.push(recipientOf(context, to, { type: entry.type, content: entry.content }));
    } catch (error) {
      outcomes.set(to, { outcome: 'failed', error: asMailroomError(error) });
    }
  }
  if (!sealed || mailboxes.length === 0) return { outcomes, posted: {} };
  const slot = slotAfter(ahead, onLinked);
  const delivery = { sealed, recipients: mailboxes, durability, repeat: isRepeat, slot };
  const { outcomes: posted } = await deliverSealed(context, delivery);
  for (const [to, outcome] of Object.entries(posted)) outcomes.set(to, outcome);
  return { outcomes, posted };
}

/** A slot that is ready once the delivery ahead allows it; otherwise it rejects, and the waiting message is not linked. */
function slotAfter(ahead: Promise<boolean> | undefined, onLinked: () => void): Slot {
  const ready = ahead?.then((mayLink) => {
    if (!mayLink) throw new Error('an earlier message to the same recipient has not arrived');
  });
  // A message that is refused before its slot is ready never waits for it.
  ready?.catch(() => {});
  // A copy that an earlier attempt linked is found before the slot is ready; the next message may still only follow after that.
  const done = (isLinked?: boolean): void => {
    if (isLinked) void Promise.resolve(ready).then(onLinked, () => {});
  };
  return { ready, done };
}

/** Whether the refusal is permanent: a retry would end the same way. */
export function isFinal(error: MailroomError): boolean {
  if (isTooEarly(error)) return false;
  return ['ACTOR_NOT_FOUND', 'INVALID_INPUT', 'MESSAGE_REFUSED', 'CONFLICT'].includes(error.code);
}

/** The recipient has purged that day, so nobody can know whether an earlier attempt delivered the message. It is not sent again. */
export function isPurged(error: MailroomError): boolean {
  return error instanceof MessageRefused && error.reason === 'purged';
}

function assertType(context: RoomContext, type: string): void {
  if (isCommonType(type)) return;
  assertDeclaredType(type, new Set(listCards(context).flatMap((card) => [...card.accepts])));
}

function asMailroomError(error: unknown): MailroomError {
  if (error instanceof MailroomError) return error;
  return new MailroomError('MESSAGE_DELIVERY', errorFacts(error).message, { cause: error });
}

/**
 * Makes and signs a message that a step sends. The recipients of a broadcast are decided here, once. A message that cannot be made
 * becomes an entry with its `refusal`. An END that cannot carry its output is made without it (`withoutOutput` says why), because
 * a parent waits for it.
 */
export function sealEntry(
  context: RoomContext,
  {
    mail,
    from,
    withoutOutput,
    isAnew = false,
  }: { mail: PlannedMessage; from: string; withoutOutput?: ErrorFacts | undefined; isAnew?: boolean },
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
    // A passing error of the system (a key that cannot be read) is not a fault of the message.
    if (!(error instanceof MailroomError) || error.code === 'ROOM_REFUSED') throw error;
    // A refusal is permanent, so read the limits again before it.
    if (!isAnew) {
      context.standing.reread();
      return sealEntry(context, { mail, from, withoutOutput, isAnew: true });
    }
    const refusal = errorFacts(error);
    const isWhole = isControl && draft.type === END && withoutOutput === undefined;
    return isWhole
      ? sealEntry(context, { mail: endingWithout(mail, refusal), from, withoutOutput: refusal })
      : { ...entry, refusal };
  }
}

/** Messages that this process sealed itself, which need not be parsed again. */
const justSealed = new WeakMap<OutboxEntry, SealedMessage>();

/** The signed message of an entry; undefined if it could not be made. */
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
