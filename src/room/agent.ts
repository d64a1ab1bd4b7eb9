import { purge, type Purged } from '../mailbox/purge.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { type MessageStatus, peek, type Peeked } from '../mailbox/status.ts';
import type { Message } from '../message/message.ts';
import { claimMail, heldMail, type Mail } from './mail.ts';
import type { RoomContext } from './context.ts';
import { findMail } from './find-mail.ts';
import { iterateInbox, type InboxOptions } from './inbox.ts';
import { leaveRoom } from './join.ts';
import type { Draft } from './draft.ts';
import type { SendReport } from './post-sealed.ts';
import { retrySend, type SendRetry } from './retry-send.ts';
import { createSender, type Sender } from './sender.ts';
import { showLife } from './signs-of-life.ts';
import { statusOf } from './status-of.ts';
import { told } from './system-errors.ts';

export interface ListOptions {
  readonly limit?: number | undefined;
  readonly unread?: boolean | undefined;
}

/** An actor that has joined, in this process: it sends under its own key and reads its own mailbox. */
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
   * Sends one message. When it resolves, the message lies in the recipient's mailbox and survives what the durability
   * says. Throws `ActorNotFound`, `RateLimitExceeded`, `InvalidInput` or `MessageRefused` when nothing was tried;
   * `MailboxFull`, `Conflict` or `MessageDeliveryError` when it failed, or its outcome is unknown. Repeating it with the
   * same `id` is safe, and is what `retry` does: it waits for the rate limit, and tries again after each failure that can
   * pass. Default: one try.
   */
  async send(
    draft: Draft & { readonly to: string },
    { retry }: { readonly retry?: SendRetry | undefined } = {},
  ): Promise<SendReport> {
    const { to } = draft;
    const send = async (said: Draft): Promise<SendReport> =>
      delivered(await told(this.#context, 'Nothing was sent', () => this.#sender.send([to], said)));
    if (!retry) return send(draft);
    const { id = this.#sender.nextId() } = draft;
    return retrySend(this.#context.host.clock, retry, () => send({ ...draft, id }));
  }

  /**
   * Sends one message to every joined agent; it counts once against the rate limit. Each recipient has its outcome in
   * the report. Throws `ActorNotFound` when nobody is there.
   */
  broadcast(draft: Draft & { readonly excludeSelf?: boolean | undefined }): Promise<SendReport> {
    const { excludeSelf = true } = draft;
    return told(this.#context, 'Nothing was sent', () => this.#sender.broadcast(draft, { excludeSelf }));
  }

  /**
   * Answers a message: to its sender, in its thread. Does not acknowledge it. The same draft to the same message is one answer and
   * arrives once, also when this process was killed before it returned and another one repeats it. Throws as `send` does.
   */
  async reply(answered: Mail | Message, draft: Omit<Draft, 'replyTo' | 'threadId'>): Promise<SendReport> {
    const message = 'message' in answered ? answered.message : answered;
    return delivered(await told(this.#context, 'The reply was not sent', () => this.#sender.reply(message, draft)));
  }

  /** Claimed mail, oldest first; waits for more until the signal aborts. Iterating again goes on with what is left. */
  inbox(options: InboxOptions = {}): AsyncIterable<Mail> {
    return { [Symbol.asyncIterator]: () => iterateInbox(this.#context, this.#mailbox, options) };
  }

  /** Waiting and claimed mail, oldest first, without claiming any of it; with `unread` only what nobody has claimed. */
  list({ limit = Infinity, unread = false }: ListOptions = {}): Peeked {
    return this.#reading(() => {
      showLife(this.#context, this.address);
      return peek(this.#mailbox, { limit, unread });
    });
  }

  /**
   * Claims one message, by its id or any ending of it that only one message here has. A claim that another process of
   * this actor holds is handed out as it is. Throws `MessageNotFound`, and `Conflict` when it was dealt with already.
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
   * Acknowledges one message by its id or an ending of it, whoever of this actor's processes holds it, and also when
   * nobody does; once more is nothing. Resolves with its whole id. Throws `MessageNotFound`, `Conflict`, `LeaseLost`.
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

  /** What this actor has claimed and not dealt with, whichever of its processes claimed it; oldest first. */
  held(): Mail[] {
    return this.#reading(() => heldMail(this.#context, this.#mailbox));
  }

  /** Where a message lies, a line per recipient. `id` may be any ending of it that only one message has. */
  status(id: string): MessageStatus[] {
    return told(this.#context, 'The message was not looked for', () => statusOf(this.#context, id));
  }

  /** Deletes what was acknowledged longer ago than the room keeps it. Throws `Conflict` when the clock has jumped. */
  async purge(): Promise<Purged> {
    const purged = await told(this.#context, 'The purge was not completed', () => {
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

  /** Says that this actor is gone. Its mail waits. */
  leave(): Promise<void> {
    return told(this.#context, `Leaving as ${this.address} was not completed`, () =>
      leaveRoom(this.#context, this.address),
    );
  }

  #reading<T>(work: () => T): T {
    return told(this.#context, `The mailbox of ${this.address} was not read`, () => {
      this.#context.standing.assertSame();
      return work();
    });
  }

  /** Frees what this process holds open; the actor stays joined. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#sender.close();
  }
}

/** The report of a message to one recipient who got it. Throws the recipient's error otherwise. */
function delivered(report: SendReport): SendReport {
  for (const outcome of Object.values(report.outcomes)) if (outcome.outcome !== 'delivered') throw outcome.error;
  return report;
}
