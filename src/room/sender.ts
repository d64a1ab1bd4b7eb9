import { ChainDamaged, MailroomError, MessageDeliveryError, MessageRefused, RateLimitExceeded } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import { deliveredBefore } from '../mailbox/deliver.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { createSendOrder, type Slot } from '../mailbox/send-order.ts';
import { EVERYONE } from '../message/address.ts';
import type { IdSource } from '../message/message-id.ts';
import type { Message } from '../message/message.ts';
import { sealMessage, type SealedMessage } from '../signing/seal.ts';
import { mailboxOf, type RoomContext } from './context.ts';
import { assertDraft, messageOf, type Draft } from './draft.ts';
import { createIds } from './ids.ts';
import { openCounter } from './open-counter.ts';
import type { RateCounter } from '../rate/counter.ts';
import { audience, recipientOf } from './recipients.ts';
import { deliverAndLog, type SendReport } from './deliver-and-log.ts';
import { replyRecordOf, type ReplyRecord } from './reply-record.ts';

/** Sending as one actor in this process: its ids, its send order and its rate counter. */
export interface Sender {
  readonly address: string;
  /** An id for a message that is about to be sent, greater than every one before it. */
  nextId(): string;
  /** Throws if it fails before any recipient was tried; after that every recipient has an outcome in the report. */
  send(to: readonly string[], draft: Draft): Promise<SendReport>;
  /**
   * Replies to a message: to its sender, in its thread. The same draft in reply to the same message is one reply,
   * however often it is sent. A draft with an `id` is sent under that id.
   */
  reply(answered: Message, draft: Draft): Promise<SendReport>;
  /**
   * Sends the same message to every joined agent (and to workflows whose card asks for it), signed once, addressed to
   * `all`.
   */
  broadcast(draft: Draft, options: { excludeSelf: boolean }): Promise<SendReport>;
  close(): void;
}

export function createSender(context: RoomContext, address: string): Sender {
  const ids = createIds(context, address);
  const takeChargeSlot = createSendOrder();
  const takeLinkSlot = createSendOrder();
  let counter: RateCounter | undefined;
  const inOrder = async (work: (slots: Slots) => Promise<SendReport>): Promise<SendReport> => {
    context.standing.assertSame();
    const slots: Slots = { charge: takeChargeSlot(), link: takeLinkSlot() };
    try {
      return await work(slots);
    } finally {
      slots.charge.done();
      slots.link.done();
    }
  };
  const post = (parts: Pick<SendRequest, 'to' | 'recipients' | 'draft' | 'slots' | 'record'>): Promise<SendReport> => {
    counter ??= openCounter(context, address);
    return postMessage(context, { ...parts, from: address, ids, counter });
  };
  return {
    address,
    nextId: () => ids.next(context.host.clock.now()),
    send: (to, draft) =>
      inOrder((slots) => {
        assertDraft(context, draft);
        const recipients = to.map((one) => recipientOf(context, one, draft));
        return post({ to, recipients, draft, slots });
      }),
    reply: (answered, said) =>
      inOrder((slots) => {
        const to = answered.from;
        const draft: Draft = { ...said, replyTo: answered.id, threadId: answered.threadId ?? answered.id };
        assertDraft(context, draft);
        const recipients = [recipientOf(context, to, draft)];
        const mailbox = draft.id === undefined ? mailboxOf(context, address) : undefined;
        const record = mailbox && replyRecordOf(context, { mailbox, answered, draft });
        return post({ to: [to], recipients, draft, slots, record });
      }),
    broadcast: (draft, { excludeSelf }) =>
      inOrder((slots) => {
        assertDraft(context, draft);
        const recipients = audience(context, excludeSelf ? address : undefined);
        // A broadcast is never valid in its sender's own mailbox, so a sender who also receives it names every
        // recipient.
        const to = excludeSelf ? [EVERYONE] : recipients.map((one) => one.address);
        return post({ to, recipients, draft, slots });
      }),
    close: () => {
      try {
        counter?.close();
      } catch (error) {
        // Everything written was read back, so nothing depends on this close. Throwing would hide the outcome of the
        // last message.
        if (errnoOf(error) === undefined) throw error;
      }
    },
  };
}

/** Ids are made, and mail is linked, in the order of the calls, because a reader goes by both. */
interface Slots {
  /** When to take the grant; the id carries the grant's time. */
  readonly charge: Slot;
  readonly link: Slot;
}

interface SendRequest {
  readonly from: string;
  readonly to: readonly string[];
  readonly recipients: readonly Mailbox[];
  readonly draft: Draft;
  readonly slots: Slots;
  readonly ids: IdSource;
  readonly counter: RateCounter;
  /** Holds the id of a reply, so that a retry uses the same one. */
  readonly record?: ReplyRecord | undefined;
}

async function postMessage(context: RoomContext, request: SendRequest): Promise<SendReport> {
  const { from, to, recipients, draft, slots, record } = request;
  const durability = draft.durability ?? context.durability;
  if (slots.charge.ready) await slots.charge.ready;
  const fixed = draft.id ?? record?.recorded();
  const id = await charge(context, { ...request, draft: { ...draft, id: fixed } });
  slots.charge.done();
  const seal = (under: string): SealedMessage => {
    const message = messageOf(context, { id: under, from, to, draft });
    return sealMessage(message, { key: context.keyring.signerOf(from), limits: context.config.limits });
  };
  let sealed = seal(id);
  const counts = record ? await record.publish(id, durability) : id;
  if (counts !== id) sealed = seal(counts);
  const repeat = fixed !== undefined || counts !== id;
  if (repeat && record) assertWorthSending(context, { sealed, recipients });
  return deliverAndLog(context, { sealed, recipients, durability, repeat, slot: slots.link });
}

/** A reply that expired before anyone got it would become a dead letter at once, and yet be reported as delivered. */
function assertWorthSending(
  { host }: RoomContext,
  { sealed, recipients }: { sealed: SealedMessage; recipients: readonly Mailbox[] },
): void {
  const { id, expiresAt } = sealed.message;
  if (expiresAt === undefined || Date.parse(expiresAt) > host.clock.now()) return;
  if (recipients.every((recipient) => deliveredBefore(recipient, sealed))) return;
  throw new MessageRefused(
    `An earlier attempt at this reply has the id ${id}, was not delivered, and expired at ${expiresAt}.`,
    {
      reason: 'expired',
      hint: 'Repeat it with another --expires to send a new reply.',
    },
  );
}

/** Takes a grant from the sender's rate counter. Resolves with the message's id, whose time is the grant's. */
async function charge(
  context: RoomContext,
  { from, draft, ids, counter }: { from: string; draft: Draft; ids: IdSource; counter: RateCounter },
): Promise<string> {
  try {
    const wanted = draft.id === undefined ? { idAt: (timeMs: number) => ids.next(timeMs) } : { id: draft.id };
    return (await counter.grant(wanted)).id;
  } catch (error) {
    if (error instanceof RateLimitExceeded) {
      context.log.append({
        event: 'rate-limited',
        from,
        type: draft.type,
        content: draft.content,
        detail: error.message,
      });
    }
    if (error instanceof MailroomError) throw error;
    const why = `the counter of ${from} cannot be written (${errnoOf(error) ?? String(error)})`;
    if (NO_COUNTER.has(errnoOf(error) ?? '')) {
      // A retry would fail here for ever, so it is not reported as a failed delivery.
      throw new ChainDamaged(`Nothing was sent now: ${why}.`, {
        cause: error,
        hint: 'Something else is in the place of the counter. Set it aside with: mailroom doctor --fix',
      });
    }
    const hint = 'Fix what the system reports (disk, permissions), then send again.';
    if (draft.id === undefined) {
      const id = ids.next(context.host.clock.now());
      throw new MessageDeliveryError(`Nothing was sent: ${why}.`, { cause: error, id, outcome: 'failed', hint });
    }
    const text = `The message ${draft.id} was not sent now: ${why}. An earlier attempt may have delivered it.`;
    throw new MessageDeliveryError(text, { cause: error, id: draft.id, outcome: 'unknown', hint });
  }
}

/** Errors of the system if something other than the counter's file is at its path. */
const NO_COUNTER: ReadonlySet<string> = new Set(['EISDIR', 'ELOOP', 'ENOTDIR']);
