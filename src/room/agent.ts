import { purge, type PurgeReport } from '../mailbox/purge.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { type MessageStatus, peek, type InboxListing } from '../mailbox/status.ts';
import type { Message } from '../message/message.ts';
import { claimMail, heldMail, type Mail } from './mail.ts';
import type { RoomContext } from './context.ts';
import { findMail } from './find-mail.ts';
import { iterateInbox, type InboxOptions } from './inbox.ts';
import { leaveRoom } from './join.ts';
import type { Draft } from './draft.ts';
import type { SendReport } from './deliver-and-log.ts';
import { retrySend, type SendRetry } from './retry-send.ts';
import { createSender, type Sender } from './sender.ts';
import { showLife } from './signs-of-life.ts';
import { statusOf } from './status-of.ts';
import { withRoomErrors } from './system-errors.ts';

export interface ListOptions {
  readonly limit?: number | undefined;
  readonly unread?: boolean | undefined;
}

/** An actor that has joined, in this process. It sends under its own key and reads its own mailbox. */
export class Agent implements AsyncDisposable {
  readonly address: string;
  readonly #context: RoomContext;
  readonly #mailbox: Mailbox;
  readonly #sender: Sender;

  constructor(context: RoomContext, mailbox: Mailbox) {
    this.address = mailbox.address;
    this.#context = context;
    this.#mailbox = mailbox;
    this.#sender = createSender(context, mailbox.address);
  }

  /**
   * Sends one message. When this resolves, the message is in the recipient's mailbox and survives what the durability
   * promises. Throws `ActorNotFound`, `RateLimitExceeded`, `InvalidInput` or `MessageRefused` if nothing was attempted;
   * `MailboxFull`, `Conflict` or `MessageDeliveryError` if delivery failed or its outcome is unknown. Retrying with the
   * same `id` is safe, and is what `retry` does: it waits for the rate limit, and tries again after each failure that can
   * pass. Default: one try.
   */
  async send(
    draft: Draft & { readonly to: string },
    { retry }: { readonly retry?: SendRetry | undefined } = {},
  ): Promise<SendReport> {
    const { to } = draft;
    const send = async (said: Draft): Promise<SendReport> =>
      delivered(await withRoomErrors(this.#context, 'Nothing was sent', () => this.#sender.send([to], said)));
    if (!retry) return send(draft);
    const { id = this.#sender.nextId() } = draft;
    return retrySend(this.#context.host.clock, retry, () => send({ ...draft, id }));
  }

  /**
   * Sends one message to every joined agent; it counts once against the rate limit. The report has an outcome for each
   * recipient. Throws `ActorNotFound` if there is no recipient.
   */
  broadcast(draft: Draft & { readonly excludeSelf?: boolean | undefined }): Promise<SendReport> {
    const { excludeSelf = true } = draft;
    return withRoomErrors(this.#context, 'Nothing was sent', () => this.#sender.broadcast(draft, { excludeSelf }));
  }

  /**
   * Replies to a message: to its sender, in its thread. Does not acknowledge it. Idempotent: the same draft in reply to
   * the same message is delivered once, even if this process was killed before it returned and another one retries.
   * Throws as `send` does.
   */
  async reply(answered: Mail | Message, draft: Omit<Draft, 'replyTo' | 'threadId'>): Promise<SendReport> {
    const message = 'message' in answered ? answered.message : answered;
    return delivered(
      await withRoomErrors(this.#context, 'The reply was not sent', () => this.#sender.reply(message, draft)),
    );
  }

  /**
   * Claimed mail, oldest first; waits for more until the signal aborts. Iterating again continues with what is left.
   */
  inbox(options: InboxOptions = {}): AsyncIterable<Mail> {
    return { [Symbol.asyncIterator]: () => iterateInbox(this.#context, this.#mailbox, options) };
  }

  /**
   * Waiting and claimed mail, oldest first, without claiming any of it; with `unread`, only mail that is not claimed.
   */
  list({ limit = Infinity, unread = false }: ListOptions = {}): InboxListing {
    return this.#reading(() => {
      showLife(this.#context, this.address);
      return peek(this.#mailbox, { limit, unread });
    });
  }

  /**
   * Claims one message by its full id, or by an ending that is unique in this mailbox. If another process of this actor
   * holds the claim, that claim is returned as it is. Throws `MessageNotFound`, and `Conflict` if the message was
   * already handled.
   */
  async claim(id: string, { leaseMs }: { readonly leaseMs?: number | undefined } = {}): Promise<Mail> {
    return this.#reading(() => {
      const limits = this.#context.config.limitsOf(this.address);
      showLife(this.#context, this.address);
      const wantedMs = Math.min(leaseMs ?? limits.leaseMs, limits.leaseMsMax);
      return claimMail(this.#context, this.#mailbox, { idEnding: id, leaseMs: wantedMs });
    });
  }

  /**
   * Acknowledges one message by its id or a unique ending, whichever of this actor's processes holds the claim, or
   * none. Idempotent. Resolves with the full id. Throws `MessageNotFound`, `Conflict`, `LeaseLost`.
   */
  async acknowledge(id: string): Promise<string> {
    const found = this.#reading(() => findMail(this.#mailbox, id));
    if (found.state === 'acknowledged') return found.id;
    const { leaseMs } = this.#context.config.limitsOf(this.address);
    const options = { idEnding: found.id, leaseMs, isLast: true };
    const mail = this.#reading(() => claimMail(this.#context, this.#mailbox, options));
    await mail.ack();
    return found.id;
  }

  /** What this actor has claimed and not yet handled, whichever of its processes claimed it; oldest first. */
  held(): Mail[] {
    return this.#reading(() => heldMail(this.#context, this.#mailbox));
  }

  /** Where a message is, one entry per recipient. `id` is the full id or an ending that only one message has. */
  status(id: string): MessageStatus[] {
    return withRoomErrors(this.#context, 'The message was not looked up', () => statusOf(this.#context, id));
  }

  /** Deletes messages acknowledged longer ago than the room keeps them. Throws `Conflict` if the clock has jumped. */
  async purge(): Promise<PurgeReport> {
    const purged = await withRoomErrors(this.#context, 'The purge was not completed', () => {
      this.#context.standing.assertSame();
      return purge(this.#mailbox);
    });
    this.#context.log.append({
      event: 'purged',
      to: this.address,
      detail: `${purged.messages} messages of ${purged.days} days`,
    });
    return purged;
  }

  /** Marks this actor as gone. Its mail is kept. */
  leave(): Promise<void> {
    return withRoomErrors(this.#context, `Leaving as ${this.address} was not completed`, () =>
      leaveRoom(this.#context, this.address),
    );
  }

  #reading<T>(work: () => T): T {
    return withRoomErrors(this.#context, `The mailbox of ${this.address} was not read`, () => {
      this.#context.standing.assertSame();
      return work();
    });
  }

  /** Frees what this process holds open; the actor stays joined. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#sender.close();
  }
}

/** The report of a message to a single recipient. Throws that recipient's error if it was not delivered. */
function delivered(report: SendReport): SendReport {
  for (const outcome of Object.values(report.outcomes)) if (outcome.outcome !== 'delivered') throw outcome.error;
  return report;
}
