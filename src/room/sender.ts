import { ChainDamaged, MailroomError, MessageDeliveryError, MessageRefused, RateLimitExceeded } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import { deliveredBefore } from '../mailbox/deliver.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { createTurns, type Turn } from '../mailbox/send-order.ts';
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
import { postSealed, type SendReport } from './post-sealed.ts';
import { replyRecordOf, type ReplyRecord } from './reply-record.ts';

/** One actor's way to send, in this process: its ids, its turns and its counter. */
export interface Sender {
  readonly address: string;
  /** An id for a message that is about to be sent, greater than every one before it. */
  nextId(): string;
  /** Throws what stopped it before any recipient was tried; after that every recipient has its outcome. */
  send(to: readonly string[], draft: Draft): Promise<SendReport>;
  /**
   * Answers a message, to its sender and in its thread. The same draft to the same message is the same answer, however often it is
   * sent; one with an `id` of its own is sent as it is.
   */
  reply(answered: Message, draft: Draft): Promise<SendReport>;
  /** The same to every joined agent (and workflows whose card asks for it), signed once for `all`. */
  broadcast(draft: Draft, options: { excludeSelf: boolean }): Promise<SendReport>;
  close(): void;
}

export function createSender(context: RoomContext, address: string): Sender {
  const ids = createIds(context, address);
  const takeChargeTurn = createTurns();
  const takeLinkTurn = createTurns();
  let counter: RateCounter | undefined;
  const inTurn = async (work: (turns: Turns) => Promise<SendReport>): Promise<SendReport> => {
    context.standing.assertSame();
    const turns: Turns = { charge: takeChargeTurn(), link: takeLinkTurn() };
    try {
      return await work(turns);
    } finally {
      turns.charge.pass();
      turns.link.pass();
    }
  };
  const post = (parts: Pick<Post, 'to' | 'recipients' | 'draft' | 'turns' | 'record'>): Promise<SendReport> => {
    counter ??= openCounter(context, address);
    return postMessage(context, { ...parts, from: address, ids, counter });
  };
  return {
    address,
    nextId: () => ids.next(context.host.clock.now()),
    send: (to, draft) =>
      inTurn((turns) => {
        assertDraft(context, draft);
        const recipients = to.map((one) => recipientOf(context, one, draft));
        return post({ to, recipients, draft, turns });
      }),
    reply: (answered, said) =>
      inTurn((turns) => {
        const to = answered.from;
        const draft: Draft = { ...said, replyTo: answered.id, threadId: answered.threadId ?? answered.id };
        assertDraft(context, draft);
        const recipients = [recipientOf(context, to, draft)];
        const mailbox = draft.id === undefined ? mailboxOf(context, address) : undefined;
        const record = mailbox && replyRecordOf(context, { mailbox, answered, draft });
        return post({ to: [to], recipients, draft, turns, record });
      }),
    broadcast: (draft, { excludeSelf }) =>
      inTurn((turns) => {
        assertDraft(context, draft);
        const recipients = audience(context, excludeSelf ? address : undefined);
        // A broadcast is never valid in its sender's own mailbox, so to be among its readers it names them.
        const to = excludeSelf ? [EVERYONE] : recipients.map((one) => one.address);
        return post({ to, recipients, draft, turns });
      }),
    close: () => {
      try {
        counter?.close();
      } catch (error) {
        // Everything written was read back, so nothing depends on it; thrown, it would hide what became of the last message.
        if (errnoOf(error) === undefined) throw error;
      }
    },
  };
}

/** Ids are made in the order of the calls and mail is linked in that order, because a reader goes by both. */
interface Turns {
  /** When to take the grant, whose time is in the id. */
  readonly charge: Turn;
  readonly link: Turn;
}

interface Post {
  readonly from: string;
  readonly to: readonly string[];
  readonly recipients: readonly Mailbox[];
  readonly draft: Draft;
  readonly turns: Turns;
  readonly ids: IdSource;
  readonly counter: RateCounter;
  /** Holds the id of an answer, so that a repetition has the same one. */
  readonly record?: ReplyRecord | undefined;
}

async function postMessage(context: RoomContext, post: Post): Promise<SendReport> {
  const { from, to, recipients, draft, turns, record } = post;
  const durability = draft.durability ?? context.durability;
  if (turns.charge.came) await turns.charge.came;
  const fixed = draft.id ?? record?.recorded();
  const id = await charge(context, { ...post, draft: { ...draft, id: fixed } });
  turns.charge.pass();
  const seal = (under: string): SealedMessage => {
    const message = messageOf(context, { id: under, from, to, draft });
    return sealMessage(message, { key: context.keyring.signerOf(from), limits: context.config.limits });
  };
  let sealed = seal(id);
  const counts = record ? await record.publish(id, durability) : id;
  if (counts !== id) sealed = seal(counts);
  const repeat = fixed !== undefined || counts !== id;
  if (repeat && record) assertWorthSending(context, { sealed, recipients });
  return postSealed(context, { sealed, recipients, durability, repeat, turn: turns.link });
}

/** An answer that expired before anybody got it would be a dead letter at once, and be reported as delivered. */
function assertWorthSending(
  { host }: RoomContext,
  { sealed, recipients }: { sealed: SealedMessage; recipients: readonly Mailbox[] },
): void {
  const { id, expiresAt } = sealed.message;
  if (expiresAt === undefined || Date.parse(expiresAt) > host.clock.now()) return;
  if (recipients.every((recipient) => deliveredBefore(recipient, sealed))) return;
  throw new MessageRefused(
    `An earlier try of this reply has the id ${id}, was not delivered, and expired at ${expiresAt}.`,
    {
      reason: 'expired',
      hint: 'Repeat it with another --expires: then it is a new reply.',
    },
  );
}

/** Takes a grant from the sender's counter and resolves with the message's id, whose time is the grant's. */
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
      // Repeating it would end here for ever, so it is not told as a delivery that failed.
      throw new ChainDamaged(`Nothing was sent now: ${why}.`, {
        cause: error,
        hint: 'Something else lies where the counter belongs. Have it set aside with: mailroom doctor --fix',
      });
    }
    const hint = 'Mend what the system reports (disk, permissions) and send again.';
    if (draft.id === undefined) {
      const id = ids.next(context.host.clock.now());
      throw new MessageDeliveryError(`Nothing was sent: ${why}.`, { cause: error, id, outcome: 'failed', hint });
    }
    const text = `The message ${draft.id} was not sent now: ${why}. An earlier try may have delivered it.`;
    throw new MessageDeliveryError(text, { cause: error, id: draft.id, outcome: 'unknown', hint });
  }
}

/** What the system says where something else lies in the place of the file. */
const NO_COUNTER: ReadonlySet<string> = new Set(['EISDIR', 'ELOOP', 'ENOTDIR']);
