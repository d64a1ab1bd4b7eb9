import { purge, type PurgeReport } from '../mailbox/purge.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { peek, type InboxListing } from '../mailbox/status.ts';
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
import { withRoomErrors } from './system-errors.ts';

/** What `Agent.list` looks at. */
export interface ListOptions {
  /** The most messages to verify and return. Default: all. */
  readonly limit?: number | undefined;
  /** Leave out messages under a lease. Default: false. */
  readonly unread?: boolean | undefined;
}

let construct: (context: RoomContext, mailbox: Mailbox) => Agent;

/** Acts as an actor that has joined and has this mailbox. */
export function agentOf(context: RoomContext, mailbox: Mailbox): Agent {
  return construct(context, mailbox);
}

/**
 * An actor of the room, as this process acts for it: it signs with the actor's key and reads the actor's mailbox.
 * `Room.join` and `Room.agent` make it.
 *
 * @example
 * ```ts
 * import { openRoom } from 'agent-mailroom';
 *
 * await using room = await openRoom();
 * const alice = await room.join('alice');
 * const { id } = await alice.send({ to: 'bob', type: 'QUESTION', content: 'Which port does the service use?' });
 * for await (const mail of alice.inbox()) {
 *   console.log(mail.message.from, mail.message.content);
 *   await mail.ack();
 *   if (mail.message.replyTo === id) break;
 * }
 * ```
 */
export class Agent implements AsyncDisposable {
  /** The actor's address. */
  readonly address: string;
  readonly #context: RoomContext;
  readonly #mailbox: Mailbox;
  readonly #sender: Sender;

  static {
    construct = (context, mailbox) => new Agent(context, mailbox);
  }

  private constructor(context: RoomContext, mailbox: Mailbox) {
    this.address = mailbox.address;
    this.#context = context;
    this.#mailbox = mailbox;
    this.#sender = createSender(context, mailbox.address);
  }

  /**
   * Sends one message to one actor. When it resolves, the message is in the recipient's mailbox and survives what
   * `durability` promises. Safe to repeat with the same `id`, which `retry` does: it waits for the rate limit, and tries
   * again after each failure that can pass.
   *
   * @param draft The message and its recipient.
   * @param options `retry`: how often to try. Default: one try.
   *
   * @throws `ActorNotFound`, `RateLimitExceeded`, `InvalidInput` or `MessageRefused` before anything is delivered;
   * `MailboxFull`, `Conflict` or `MessageDeliveryError` if the delivery failed or its outcome is unknown.
   *
   * @example
   * ```ts
   * import { openRoom } from 'agent-mailroom';
   *
   * await using room = await openRoom();
   * const report = await room.agent('alice').send({
   *   to: 'bob',
   *   type: 'REVIEW-REQUEST',
   *   content: 'Please review branch add-port.',
   *   data: { branch: 'add-port', lines: 120 },
   *   expiresInMs: 3_600_000,
   * });
   * console.log(report.id);
   * await room.agent('alice').send({ to: 'bob', type: 'INFO', content: 'Thank you.' }, { retry: { triesMax: 5 } });
   * ```
   */
  async send(
    draft: Draft & { readonly to: string },
    { retry }: { readonly retry?: SendRetry | undefined } = {},
  ): Promise<SendReport> {
    const { to } = draft;
    const send = async (said: Draft): Promise<SendReport> =>
      delivered(await withRoomErrors(this.#context, 'Nothing was sent', () => this.#sender.send([to], said)));
    if (!retry) return send(draft);
    const nextId = (): string => draft.id ?? this.#sender.nextId();
    return retrySend(this.#context.host.clock, { ...retry, nextId }, (id) => send({ ...draft, id }));
  }

  /**
   * Sends one message to every joined actor that takes broadcasts. It counts once against the rate limit, and the report
   * has one outcome per recipient. `excludeSelf` leaves out the sender. Default: true.
   *
   * @throws `ActorNotFound` if there is no recipient; otherwise as `send`, for what is refused before anything is delivered.
   */
  broadcast(draft: Draft & { readonly excludeSelf?: boolean | undefined }): Promise<SendReport> {
    const { excludeSelf = true } = draft;
    return withRoomErrors(this.#context, 'Nothing was sent', () => this.#sender.broadcast(draft, { excludeSelf }));
  }

  /**
   * Answers a message: to its sender, in its thread. It does not acknowledge the message. Idempotent for the same draft,
   * also across processes: a reply that is repeated after a crash arrives once.
   *
   * @throws As `send`.
   *
   * @example
   * ```ts
   * import { openRoom } from 'agent-mailroom';
   *
   * await using room = await openRoom();
   * const bob = room.agent('bob');
   * for await (const mail of bob.inbox({ wait: false })) {
   *   await bob.reply(mail, { type: 'INFO', content: 'It uses port 8080.' });
   *   await mail.ack();
   * }
   * ```
   */
  async reply(answered: Mail | Message, draft: Omit<Draft, 'replyTo' | 'threadId'>): Promise<SendReport> {
    const message = 'message' in answered ? answered.message : answered;
    return delivered(
      await withRoomErrors(this.#context, 'The reply was not sent', () => this.#sender.reply(message, draft)),
    );
  }

  /**
   * Claims messages one by one, oldest first, and waits for more until the signal aborts. A message that is not
   * acknowledged is handed out again when its lease ends, by then to any reader of this address.
   *
   * @throws `RoomNotFound` or `RoomReplaced`, while iterating, if the room is gone.
   *
   * @example
   * ```ts
   * import { openRoom } from 'agent-mailroom';
   *
   * await using room = await openRoom();
   * const bob = await room.join('bob');
   * const signal = AbortSignal.timeout(60_000);
   * for await (const mail of bob.inbox({ signal, leaseMs: 120_000 })) {
   *   console.log(`${mail.message.type} from ${mail.message.from}, attempt ${mail.attempt}`);
   *   await mail.ack();
   * }
   * ```
   */
  inbox(options: InboxOptions = {}): AsyncIterable<Mail> {
    return { [Symbol.asyncIterator]: () => iterateInbox(this.#context, this.#mailbox, options) };
  }

  /**
   * Lists messages that are not acknowledged, oldest first, without claiming any.
   *
   * @param options How many messages, and which.
   */
  list({ limit = Infinity, unread = false }: ListOptions = {}): InboxListing {
    return this.#reading(() => {
      showLife(this.#context, this.address);
      return peek(this.#mailbox, { limit, unread });
    });
  }

  /**
   * Claims one message. If another process of this actor holds the claim, this one shares it.
   *
   * @param id The id of the message, or an ending of it (at least 4 characters) that no other message here has.
   * @param options `leaseMs`: the length of the lease in ms, at most `leaseMsMax` of the room. Default: the limit `leaseMs` of
   * the room.
   * @throws `MessageNotFound`; `InvalidInput` for a malformed id; `MessageRefused` for mail dated in the future; `Conflict` if
   * the message is handled, another reader is claiming it, or the ending is ambiguous.
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
   * Acknowledges one message by its id or an ending of it, whichever of this actor's processes holds the claim, or none.
   * Idempotent. Resolves with the full id.
   *
   * @throws `MessageNotFound`, `InvalidInput`, `Conflict` or `LeaseLost`.
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

  /** The messages under a lease of this actor, whichever of its processes claimed them, oldest first. */
  held(): Mail[] {
    return this.#reading(() => heldMail(this.#context, this.#mailbox));
  }

  /**
   * Deletes messages that were acknowledged more than `doneDaysKept` days ago.
   *
   * @throws `Conflict` if the clock has jumped.
   */
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

  /** Leaves the room. The mail is kept, and the actor can join again. */
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

  /** Closes the files that this process has open for the actor. The actor stays joined. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#sender.close();
  }
}

/** The report of a message to a single recipient. Throws that recipient's error if it was not delivered. */
function delivered(report: SendReport): SendReport {
  for (const outcome of Object.values(report.outcomes)) if (outcome.outcome !== 'delivered') throw outcome.error;
  return report;
}
