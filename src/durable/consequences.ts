import type { AnyStateMachine } from 'xstate';
import { settleOwn } from '../mailbox/owner.ts';
import type { Durability, Mailbox } from '../mailbox/mailbox.ts';
import { messageFileName } from '../message/layout.ts';
import type { RefusalReason } from '../message/message.ts';
import type { Cause } from '../machine/cause.ts';
import { errorFacts } from '../machine/plain-facts.ts';
import type { RoomContext } from '../room/context.ts';
import type { OutboxEntry, Unperformed } from './journal-record.ts';
import type { Journal } from './journal.ts';
import { Outbox, type Refused } from './outbox.ts';
import { ProgressKeeper } from './progress.ts';
import { runActions } from './run-actions.ts';
import { isHeardOf, undeliveredCause } from './undelivered-cause.ts';

const RETRY_MS = 1_000;

export interface ConsequencesOptions {
  readonly context: RoomContext;
  readonly durability: Durability;
  readonly address: string;
  readonly mailbox: Mailbox;
  readonly journal: Journal;
  readonly machine: AnyStateMachine;
  readonly childReady: (address: string, entry: OutboxEntry) => Promise<void>;
  /** A message can never be delivered to these. */
  readonly onRefused: (entry: OutboxEntry, refused: readonly Refused[]) => void;
  /** A record is done with. */
  readonly onMoved: () => void;
  /** A message has reached its end. */
  readonly onDelivered: () => void;
}

/**
 * Does what true records ask for: moves their mail, sends their messages, runs their actions, each in the order of the
 * records. All of it may be done again, so recovery and the ordinary way are the same.
 */
export class Consequences {
  readonly progress: ProgressKeeper;
  readonly #options: ConsequencesOptions;
  readonly #outbox: Outbox;
  readonly #posted = new Set<string>();
  readonly #leaving = new AbortController();
  #begun: number;
  /** The end of the queue of records whose actions run. */
  #acting: Promise<void> = Promise.resolve();

  constructor(options: ConsequencesOptions) {
    const { context, durability, address, mailbox, journal, childReady, onRefused, onDelivered } = options;
    this.#options = options;
    this.#begun = journal.fold.performed;
    this.progress = new ProgressKeeper({ mailbox, durability, performed: journal.fold.performed });
    this.#outbox = new Outbox({
      context,
      address,
      durability,
      childReady,
      onDelivered: ({ id }) => {
        this.#posted.delete(id);
        this.progress.delivered(id);
        onDelivered();
      },
      onRefused: (entry, refused) => {
        this.#posted.delete(entry.id);
        onRefused(entry, refused);
      },
    });
  }

  /** How many records are not done with. */
  get outstanding(): number {
    return this.progress.outstanding;
  }

  /**
   * Whether all that was committed is done, written down or not. Of a FAILED workflow: all but what it has to hear of messages
   * that were refused, which waits.
   */
  get isDone(): boolean {
    if (this.#options.journal.fold.state?.failed) return this.#posted.size === 0 && this.progress.isMoved;
    return this.progress.isComplete({ undelivered: this.#options.journal.fold.undelivered.size });
  }

  /** The same, and the journal says so. */
  get isSettled(): boolean {
    const { fold } = this.#options.journal;
    const isSent = fold.state?.failed ? this.#posted.size === 0 : fold.undelivered.size === 0;
    return isSent && fold.unperformed.length === 0 && !this.progress.hasNews;
  }

  /** Everything that the journal says is left to do, by whichever host it was committed. */
  recover(): void {
    this.#performRecords();
    for (const entry of this.#options.journal.fold.undelivered.values()) this.#post(entry, { isRepeat: true });
  }

  /** What the records just made ask for; `outbox` are their messages. */
  perform(outbox: readonly OutboxEntry[]): void {
    this.#performRecords();
    for (const entry of outbox) this.#post(entry, { isRepeat: false });
  }

  /** What it is to the machine that a message was refused; undefined when it is not to hear of it, which is then over. */
  undelivered(entry: OutboxEntry, refused: readonly Refused[]): Cause | undefined {
    const { state, undelivered } = this.#options.journal.fold;
    // A FAILED workflow may have heard of it from an earlier look, by the step that was tried again.
    if (!undelivered.has(entry.id)) return undefined;
    const cause = state && undeliveredCause(entry, refused, state);
    if (cause && isHeardOf(entry, cause)) return cause;
    this.progress.delivered(entry.id);
    return undefined;
  }

  /** Resolves when nothing is under way; what is left is in the journal. */
  async close(): Promise<void> {
    this.#leaving.abort();
    await Promise.all([this.#outbox.close(), this.#acting]);
  }

  #post(entry: OutboxEntry, options: { isRepeat: boolean }): void {
    if (this.#posted.has(entry.id)) return;
    this.#posted.add(entry.id);
    this.#outbox.add(entry, options);
  }

  #performRecords(): void {
    for (const record of this.#options.journal.fold.unperformed) {
      if (record.seq <= this.#begun) continue;
      this.#begun = record.seq;
      this.progress.begin(record);
      this.#performRecord(record);
    }
  }

  #performRecord(record: Unperformed): void {
    const isMoved = this.#settleMail(record);
    if (isMoved && record.actions.length === 0) {
      this.progress.done(record.seq);
      return;
    }
    const { machine, context, address, onMoved } = this.#options;
    const { signal } = this.#leaving;
    this.#acting = this.#acting.then(async () => {
      await runActions(context, { machine, address, actions: record.actions, signal });
      for (let moved = isMoved; !moved && !signal.aborted;) {
        await context.host.clock.sleep(RETRY_MS, signal);
        moved = this.#settleMail(record);
      }
      if (signal.aborted) return;
      this.progress.done(record.seq);
      onMoved();
    });
  }

  /** False when the system does not let it be moved now. */
  #settleMail({ mail, refusal }: Unperformed): boolean {
    if (!mail) return true;
    const { mailbox, context, address } = this.#options;
    try {
      settleOwn(mailbox, messageFileName(mail), refusal && { ...refusal, reason: refusal.reason as RefusalReason });
      return true;
    } catch (error) {
      context.log.append({
        event: 'warning',
        id: mail.id,
        to: address,
        detail: `not moved now: ${errorFacts(error).message}`,
      });
      return false;
    }
  }
}
