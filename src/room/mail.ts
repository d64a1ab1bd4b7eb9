import { acknowledge, keepInPart, putBack, reject, release, renew, type Claim } from '../mailbox/claim.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { Message } from '../message/message.ts';
import type { RoomContext } from './context.ts';
import { told } from './told.ts';

/** A verified message that this reader has claimed. Until it is acknowledged it comes back when the lease ends. */
export class Mail {
  readonly message: Message;
  readonly #context: RoomContext;
  readonly #mailbox: Mailbox;
  #claim: Claim;
  #settled = false;

  constructor(context: RoomContext, mailbox: Mailbox, claim: Claim) {
    this.message = claim.message;
    this.#context = context;
    this.#mailbox = mailbox;
    this.#claim = claim;
  }

  /** 1 for the first time it was claimed; 0 when only a part of it was shown so far. */
  get attempt(): number {
    return this.#claim.attempt;
  }

  /** Ms since the epoch. */
  get leaseEndsAtMs(): number {
    return this.#claim.untilMs;
  }

  /** It is dealt with. Sends nothing. Throws `LeaseLost` when somebody else holds it by now; acknowledging twice is nothing. */
  async ack(): Promise<void> {
    if (this.#settled) return;
    this.#told('acknowledged', () => acknowledge(this.#mailbox, this.#claim));
    this.#settle('acknowledged');
  }

  /** Ends the claim early, so that another may take it over. Throws `LeaseLost`. */
  async release(): Promise<void> {
    if (this.#settled) return;
    this.#told('released', () => release(this.#mailbox, this.#claim));
    this.#settle('released');
  }

  /** Releases what nobody has seen yet: no further attempt is counted. Throws `LeaseLost`. */
  async putBack(): Promise<void> {
    if (this.#settled) return;
    this.#told('put back', () => putBack(this.#mailbox, this.#claim));
    this.#settle('released');
  }

  /** Makes the lease end `leaseMs` from now. Throws `LeaseLost`. */
  async renew(leaseMs = this.#context.config.limitsOf(this.#mailbox.address).leaseMs): Promise<void> {
    const wanted = { claim: this.#claim, leaseMs: Math.min(leaseMs, this.#mailbox.limits.leaseMsMax) };
    this.#claim = this.#told('renewed', () => renew(this.#mailbox, wanted));
    this.#log('renewed');
  }

  /** Makes the lease end at that time, ms since the epoch, which is later than the one before. Throws `LeaseLost`. */
  async renewUntil(untilMs: number): Promise<void> {
    this.#claim = this.#told('renewed', () => renew(this.#mailbox, { claim: this.#claim, untilMs }));
    this.#log('renewed');
  }

  /**
   * Keeps it, because only a part of it was shown. The lease stays as it is, and when it ends the message comes again. However often
   * it is kept so, it was claimed once. Throws `LeaseLost`.
   */
  async keepInPart(): Promise<void> {
    this.#claim = this.#told('kept', () => keepInPart(this.#mailbox, this.#claim));
  }

  /** Gives it up for good: it becomes a dead letter with this reason. Throws `LeaseLost`. */
  async reject(detail: string): Promise<void> {
    if (this.#settled) return;
    this.#told('given up', () => reject(this.#mailbox, { claim: this.#claim, detail }));
    this.#settled = true;
  }

  #told<T>(done: string, work: () => T): T {
    return told(this.#context, `The message ${this.message.id} was not ${done}`, work);
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

/** Wraps a claim for its reader, logs it, and lets the reader's pane show one message less. */
export function receive(context: RoomContext, mailbox: Mailbox, claim: Claim): Mail {
  const { id, from, type } = claim.message;
  context.nudges.add(mailbox.address, 'claimed');
  const detail = claim.attempt > 1 ? { detail: `attempt ${claim.attempt}` } : {};
  context.log.append({ event: 'claimed', id, from, to: mailbox.address, type, ...detail });
  return new Mail(context, mailbox, claim);
}
