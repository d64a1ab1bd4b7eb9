import { Conflict, isLeaseLost, isRoomLost, MessageRefused } from '../errors.ts';
import {
  acknowledge,
  type Claim,
  claimNew,
  isOpenToAll,
  keepInPart,
  openClaim,
  putBack,
  reject,
  release,
  renew,
  takeOver,
} from '../mailbox/claim.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { MessageStatus } from '../mailbox/status.ts';
import { formatTime } from '../message/format-time.ts';
import { messageFileName, parseClaimFileName } from '../message/layout.ts';
import { timeOfId } from '../message/message-id.ts';
import type { Message } from '../message/message.ts';
import type { RoomContext } from './context.ts';
import { findMail } from './find-mail.ts';
import { withRoomErrors } from './system-errors.ts';
import { claimsIn } from '../mailbox/entries.ts';

/** How `Mail.keep` renews a claim. */
export interface KeepOptions {
  /** How long each renewal makes the lease, in ms. Default: the limit `leaseMs` of the room. */
  readonly leaseMs?: number | undefined;
  /** Called before each renewal. Default: none. */
  readonly onRenew?: (() => void) | undefined;
}

/** A claim that is renewed until it is disposed. */
export interface KeptMail extends AsyncDisposable {
  /** Aborts with `LeaseLost` if another reader takes the message over, and with the error if the room is gone. */
  readonly signal: AbortSignal;
}

const RENEWALS_PER_LEASE = 3;

let construct: (context: RoomContext, mailbox: Mailbox, claim: Claim) => Mail;

/** Wraps a claim whose message its reader was handed before. */
export function mailOf(context: RoomContext, mailbox: Mailbox, claim: Claim): Mail {
  return construct(context, mailbox, claim);
}

/**
 * A verified message that this reader has claimed, until the lease ends. A message whose lease ends without an
 * acknowledgement is handed out again. `Agent.inbox`, `Agent.claim` and `Agent.held` make it.
 */
export class Mail {
  /** The message itself. */
  readonly message: Message;
  readonly #context: RoomContext;
  readonly #mailbox: Mailbox;
  #claim: Claim;
  #settled = false;

  static {
    construct = (context, mailbox, claim) => new Mail(context, mailbox, claim);
  }

  private constructor(context: RoomContext, mailbox: Mailbox, claim: Claim) {
    this.message = claim.message;
    this.#context = context;
    this.#mailbox = mailbox;
    this.#claim = claim;
  }

  /** How many times the message was claimed, this time included; 0 while only a part of it was shown. */
  get attempt(): number {
    return this.#claim.attempt;
  }

  /** When the lease ends, in ms since the epoch. */
  get leaseEndsAtMs(): number {
    return this.#claim.untilMs;
  }

  /**
   * Marks the message as handled; sends nothing. Idempotent.
   *
   * @throws `LeaseLost` if another reader has taken it over.
   */
  async ack(): Promise<void> {
    if (this.#settled) return;
    this.#withErrors('acknowledged', () => acknowledge(this.#mailbox, this.#claim));
    this.#settle('acknowledged');
  }

  /**
   * Ends the lease now, so that the message is handed out again. Idempotent.
   *
   * @throws `LeaseLost`.
   */
  async release(): Promise<void> {
    if (this.#settled) return;
    this.#withErrors('released', () => release(this.#mailbox, this.#claim));
    this.#settle('released');
  }

  /**
   * Releases a message that nobody has read yet: this attempt does not count. Idempotent.
   *
   * @throws `LeaseLost`.
   */
  async putBack(): Promise<void> {
    if (this.#settled) return;
    this.#withErrors('put back', () => putBack(this.#mailbox, this.#claim));
    this.#settle('released');
  }

  /**
   * Makes the lease end `leaseMs` from now, at most `leaseMsMax` of the room. Default: the limit `leaseMs` of the room.
   *
   * @throws `LeaseLost`.
   */
  async renew(leaseMs = this.#context.config.limitsOf(this.#mailbox.address).leaseMs): Promise<void> {
    const wanted = { claim: this.#claim, leaseMs: Math.min(leaseMs, this.#mailbox.limits.leaseMsMax) };
    this.#claim = this.#withErrors('renewed', () => renew(this.#mailbox, wanted));
    this.#log('renewed');
  }

  /**
   * Makes the lease end at a later time than now, in ms since the epoch.
   *
   * @throws `LeaseLost`.
   */
  async renewUntil(untilMs: number): Promise<void> {
    this.#claim = this.#withErrors('renewed', () => renew(this.#mailbox, { claim: this.#claim, untilMs }));
    this.#log('renewed');
  }

  /**
   * Records that only a part of the message was shown. The lease stays as it is, and the message is handed out again when
   * it ends. All partial showings together count as one attempt.
   *
   * @throws `LeaseLost`.
   */
  async keepInPart(): Promise<void> {
    this.#claim = this.#withErrors('kept', () => keepInPart(this.#mailbox, this.#claim));
  }

  /**
   * Gives up the message: it becomes a dead letter with this sentence as the reason. Idempotent.
   *
   * @throws `LeaseLost`.
   */
  async reject(detail: string): Promise<void> {
    if (this.#settled) return;
    this.#withErrors('given up', () => reject(this.#mailbox, { claim: this.#claim, detail }));
    this.#settled = true;
  }

  /**
   * Keeps renewing the lease until the returned object is disposed: three times per lease, and sooner if the lease is near
   * its end. A renewal that fails for now, such as on a full disk, is retried at the next turn.
   *
   * @param options How long each renewal makes the lease, and what to call before it.
   *
   * @example
   * ```ts
   * import { openRoom } from 'agent-mailroom';
   *
   * await using room = await openRoom();
   * for await (const mail of room.agent('bob').inbox()) {
   *   await using kept = mail.keep({ leaseMs: 60_000 });
   *   await fetch('https://example.com/build', { signal: kept.signal });
   *   await mail.ack();
   * }
   * ```
   */
  keep({ leaseMs, onRenew }: KeepOptions = {}): KeptMail {
    const { clock } = this.#context.host;
    const lost = new AbortController();
    const over = new AbortController();
    const wantedMs = leaseMs ?? this.#context.config.limitsOf(this.#mailbox.address).leaseMs;
    const renewMs = Math.min(wantedMs, this.#mailbox.limits.leaseMsMax) / RENEWALS_PER_LEASE;
    const renewing = async (): Promise<void> => {
      // A claim that another process made may be near its end.
      let pauseMs = Math.min(renewMs, Math.max(0, this.leaseEndsAtMs - clock.now()) / RENEWALS_PER_LEASE);
      while (!lost.signal.aborted) {
        await clock.sleep(pauseMs, over.signal);
        pauseMs = renewMs;
        if (over.signal.aborted || this.#settled) return;
        onRenew?.();
        try {
          await this.renew(wantedMs);
        } catch (error) {
          if (isLeaseLost(error) || isRoomLost(error)) lost.abort(error);
        }
      }
    };
    const renewed = renewing();
    // An error of `onRenew` is thrown when the claim is disposed.
    renewed.catch(() => {});
    const stop = (): Promise<void> => {
      over.abort();
      return renewed;
    };
    return { signal: lost.signal, [Symbol.asyncDispose]: stop };
  }

  #withErrors<T>(done: string, work: () => T): T {
    return withRoomErrors(this.#context, `The message ${this.message.id} was not ${done}`, work);
  }

  #settle(event: 'acknowledged' | 'released'): void {
    this.#settled = true;
    this.#log(event);
  }

  #log(event: 'acknowledged' | 'released' | 'renewed'): void {
    const { id, from, type } = this.message;
    this.#context.log.append({ event, id, from, to: this.#mailbox.address, type });
  }
}

/** Wraps a claim for its reader, logs it, and updates the count on the reader's pane. */
export function receive(context: RoomContext, mailbox: Mailbox, claim: Claim): Mail {
  const { id, from, type } = claim.message;
  context.nudges.add(mailbox.address, 'claimed');
  const detail = claim.attempt > 1 ? { detail: `attempt ${claim.attempt}` } : {};
  context.log.append({ event: 'claimed', id, from, to: mailbox.address, type, ...detail });
  return construct(context, mailbox, claim);
}

const LOOKS_MAX = 3;

/**
 * Claims one message by its id or an unambiguous ending. A claim that another process of the same actor holds belongs
 * to that actor, so it is returned as it is. Throws `MessageNotFound`, `MessageRefused` for early mail, and `Conflict`
 * for a message that was acknowledged, was given up, or is being claimed by another process right now. `isLast` is for
 * a message that is acknowledged at once: an expired lease then counts no further attempt, which might be one too many,
 * and early mail is claimed too.
 */
export function claimMail(
  context: RoomContext,
  mailbox: Mailbox,
  options: { idEnding: string; leaseMs: number; isLast?: boolean },
): Mail {
  const { idEnding } = options;
  for (let look = 1; look <= LOOKS_MAX; look++) {
    const found = findMail(mailbox, idEnding);
    const mail = claimFound(context, mailbox, { ...options, found });
    if (mail) return mail;
    // It moved between the look and the claim, or was put aside; its new place says which.
  }
  throw new Conflict(`The message ${idEnding} of ${mailbox.address} is being claimed by several processes at once.`, {
    hint: `See where it is: mailroom status ${idEnding}`,
  });
}

/** What this actor has claimed and not yet handled, whichever of its processes claimed it; oldest first. */
export function heldMail(context: RoomContext, mailbox: Mailbox): Mail[] {
  const held: Mail[] = [];
  const names = [...claimsIn(mailbox)]
    .filter(({ claim }) => !isOpenToAll(mailbox, claim))
    .map(({ fileName }) => fileName);
  for (const fileName of names.sort()) {
    const claim = openClaim(mailbox, fileName);
    if (claim) held.push(mailOf(context, mailbox, claim));
  }
  return held;
}

function claimFound(
  context: RoomContext,
  mailbox: Mailbox,
  { found, leaseMs, isLast = false }: { found: MessageStatus; leaseMs: number; isLast?: boolean },
): Mail | undefined {
  const { id, state, path, readableFromMs } = found;
  if (readableFromMs !== undefined && !isLast) throw tooEarly(id, readableFromMs);
  const fileName = path.slice(path.lastIndexOf('/') + 1);
  const handOut = (claim: Claim | undefined): Mail | undefined => claim && receive(context, mailbox, claim);
  if (state === 'delivered') return handOut(claimNew(mailbox, { name: messageFileName(found), leaseMs }));
  if (state === 'released' && !isLast) {
    const claim = parseClaimFileName(fileName);
    return claim && handOut(takeOver(mailbox, { claim, leaseMs }));
  }
  if (state === 'released' || state === 'claimed') {
    const claim = openClaim(mailbox, fileName);
    return claim && mailOf(context, mailbox, claim);
  }
  if (state === 'acknowledged') {
    throw new Conflict(`The message ${id} of ${mailbox.address} was already acknowledged.`, {
      hint: `Its text is still there: mailroom read ${id.slice(-8)}`,
    });
  }
  const { reason = 'unknown', detail = '' } = found;
  throw new Conflict(`The message ${id} of ${mailbox.address} is a dead letter (${reason}: ${detail}).`, {
    hint: `To get it back: mailroom dead retry ${id.slice(-8)}`,
  });
}

function tooEarly(id: string, readableFromMs: number): MessageRefused {
  const [time, from] = [timeOfId(id), readableFromMs].map(formatTime);
  return new MessageRefused(
    `The message ${id} is from ${time}, far ahead of this machine's clock: it can be read from ${from} on.`,
    {
      reason: 'from-the-future',
      hint: `Compare the clock with the right time: date -u. To discard the message unread: mailroom ack ${id.slice(-8)}`,
    },
  );
}
