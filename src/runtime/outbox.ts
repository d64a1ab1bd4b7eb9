import type { OutboxEntry } from '../journal/record.ts';
import type { DeliveryOutcome } from '../mailbox/deliver.ts';
import type { Durability } from '../mailbox/mailbox.ts';
import type { RateCounter } from '../rate/counter.ts';
import type { RoomContext } from '../room/context.ts';
import { openCounter } from '../room/open-counter.ts';
import { logSent } from '../room/deliver-and-log.ts';
import { errorFacts, type ErrorFacts } from '../errors.ts';
import { attemptDelivery, type DeliveryAttempt, isFinal, isPurged } from './deliver-entry.ts';
import { waitMsAfter } from '../host/growing-wait.ts';

const RETRIES = { msMin: 250, msMax: 30_000 };
/** Deliveries at once. Each attempt ends; between two attempts a stuck message does not count. */
const DELIVERIES_MAX = 256;
/** With this many deliveries in progress, no further message is written to the disk ahead of its turn. */
const UNDER_WAY_MAX = 32;

export interface OutboxOptions {
  readonly context: RoomContext;
  readonly address: string;
  readonly durability: Durability;
  /** Resolves when the mailbox of this child exists; awaited before the child is sent anything. */
  readonly childReady: (address: string, entry: OutboxEntry) => Promise<void>;
  /** The message is delivered to every recipient and synced as its durability asks. */
  readonly onDelivered: (entry: OutboxEntry) => void;
  /** The message is delivered or refused everywhere, and these recipients refuse it for good. */
  readonly onRefused: (entry: OutboxEntry, refused: readonly Refused[]) => void;
}

export interface Refused {
  readonly to: string;
  readonly error: ErrorFacts;
}

/**
 * Delivers the messages of a workflow's commits, concurrently with the workflow's own loop, paced by the rate limit, and retries
 * passing failures. Each recipient gets the messages in the order of the commits; a stuck message delays only later ones to the
 * same recipient. In `power` durability a message is written ahead of its turn and linked as soon as the one before it is, so that
 * the directory is synced for several at once.
 *
 * The durable state is the journal's: `undelivered` holds every message until a record says that it is delivered.
 *
 * | state here  | means                                                                                     |
 * |-------------|-------------------------------------------------------------------------------------------|
 * | unpaced     | waits for the rate limit; control mail skips this                                         |
 * | queued      | waits at each recipient for the messages before it                                        |
 * | in delivery | being staged, linked and synced                                                           |
 * | resting     | failed for now; waits for its next attempt                                                |
 * | delivered   | reached every recipient; the next record says so                                          |
 * | refused     | reached its end, refused for good by some; the machine is told, and its commit says so    |
 *
 * After a crash every message in `undelivered` starts again as a repeat, and recipients drop duplicates by id.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #queues = new OutboxQueues<PendingDelivery>();
  readonly #unpaced: PendingDelivery[] = [];
  readonly #closing = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  #counter: RateCounter | undefined;
  #isPacing = false;
  #deliveries = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** How many messages are not delivered or refused yet. */
  get size(): number {
    return this.#queues.size + this.#unpaced.length;
  }

  /** `isRepeat`: an earlier host may have delivered the message. */
  add(entry: OutboxEntry, { isRepeat }: { isRepeat: boolean }): void {
    const recipients = new Set(entry.recipients ?? entry.to);
    const pending: PendingDelivery = {
      entry,
      recipients,
      refused: [],
      unlogged: {},
      isRepeat,
      failures: 0,
      isResting: false,
      mayFollow: undefined,
    };
    if (entry.isControl) {
      this.#queues.add(pending);
      this.#pump();
      return;
    }
    this.#unpaced.push(pending);
    this.#start(this.#pace());
  }

  /** Ends all waiting and resolves when nothing is in progress. What is left is in the journal. */
  async close(): Promise<void> {
    this.#closing.abort();
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    this.#counter?.close();
  }

  #start(work: Promise<void>): void {
    const tracked = work.catch((error: unknown) => this.#warn(error)).finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
  }

  /** Takes the grants of the rate limit one by one, in the order of the commits; a repeated message is not charged again. */
  async #pace(): Promise<void> {
    if (this.#isPacing) return;
    this.#isPacing = true;
    const { signal } = this.#closing;
    try {
      for (let next = this.#unpaced[0]; next && !signal.aborted; next = this.#unpaced[0]) {
        await this.#charge(next.entry.id);
        if (signal.aborted) return;
        this.#unpaced.shift();
        this.#queues.add(next);
        this.#pump();
      }
    } finally {
      this.#isPacing = false;
    }
  }

  async #charge(id: string): Promise<void> {
    const { context, address } = this.#options;
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        context.standing.assertSame();
        this.#counter ??= openCounter(context, address);
        await this.#counter.pace({ id }, { signal });
        return;
      } catch (error) {
        if (signal.aborted) return;
        // The counter cannot be written now. The message is committed, so it is sent later.
        this.#warn(error);
        await context.host.clock.sleep(waitMsAfter(RETRIES, failures), signal);
      }
    }
  }

  /** Starts every delivery that does not have to wait for one before it. */
  #pump(): void {
    if (this.#closing.signal.aborted) return;
    for (const { pending, before } of this.#queues.startable()) {
      if (this.#deliveries >= DELIVERIES_MAX) return;
      const ahead = before && this.#aheadOf(pending, before);
      if (before && !ahead) continue;
      this.#begin(pending, before ? [...pending.recipients] : this.#queues.freeOf(pending), ahead);
    }
  }

  /** The delivery ahead of this one, if this one can already be staged and only has to wait before it is linked. */
  #aheadOf({ recipients }: PendingDelivery, before: PendingDelivery): Promise<boolean> | undefined {
    if (this.#options.durability !== 'power' || this.#underWay.size >= UNDER_WAY_MAX) return undefined;
    // Not for a message to several recipients: only the first one would wait for its turn.
    return recipients.size === 1 && before.recipients.size === 1 ? before.mayFollow : undefined;
  }

  #begin(pending: PendingDelivery, addresses: readonly string[], ahead: Promise<boolean> | undefined): void {
    let letFollow: (isLinked: true) => void = () => {};
    const linked = new Promise<true>((resolve) => (letFollow = resolve));
    const delivering = this.#deliver(pending, addresses, { ahead, onLinked: () => letFollow(true) });
    pending.mayFollow = Promise.race([linked, delivering.catch(() => false)]);
    this.#deliveries += 1;
    this.#start(delivering.finally(() => (this.#deliveries -= 1)).then(() => this.#pump()));
  }

  /** Resolves with whether the message is finished. `ahead` resolves with whether this delivery may follow the one before it. */
  async #deliver(
    pending: PendingDelivery,
    addresses: readonly string[],
    { ahead, onLinked }: Pick<DeliveryAttempt, 'ahead' | 'onLinked'>,
  ): Promise<boolean> {
    const { entry } = pending;
    const { context, address, durability, childReady, onDelivered, onRefused } = this.#options;
    const { isRepeat } = pending;
    const { outcomes, posted } = await attemptDelivery(context, {
      entry,
      addresses,
      durability,
      isRepeat,
      ahead,
      onLinked,
      childReady,
    });
    const isHeldUp = ahead !== undefined && !(await ahead);
    pending.mayFollow = undefined;
    // It was not linked because of the message ahead, so this counts as no failure.
    if (isHeldUp) return false;
    Object.assign(pending.unlogged, posted);
    let isStuck = false;
    for (const [to, outcome] of outcomes) {
      if (outcome.outcome === 'delivered' || isPurged(outcome.error)) {
        this.#queues.reached(pending, to);
      } else if (isFinal(outcome.error)) {
        this.#queues.reached(pending, to);
        const { id, type } = entry;
        context.log.append({ event: 'undeliverable', id, from: address, to, type, detail: outcome.error.message });
        pending.refused.push({ to, error: errorFacts(outcome.error) });
      } else {
        isStuck = true;
        if (pending.failures === 0) this.#warn(outcome.error);
      }
    }
    // An attempt may have delivered the message although it reported a failure.
    pending.isRepeat = true;
    // A message to several may be delivered in parts, because each recipient has its own queue. The log has it once.
    if (pending.recipients.size === 0 || (isStuck && pending.failures === 0)) this.#log(pending);
    if (isStuck) {
      this.#start(this.#retryLater(pending));
    } else if (pending.recipients.size === 0) {
      if (pending.refused.length > 0) onRefused(entry, pending.refused);
      else onDelivered(entry);
    }
    return pending.recipients.size === 0;
  }

  /** Logs the outcome for the recipients that were tried since the last call. */
  #log(pending: PendingDelivery): void {
    const { context, address } = this.#options;
    const { entry, unlogged } = pending;
    const tried = Object.keys(unlogged);
    if (tried.length === 0) return;
    pending.unlogged = {};
    const isToAll = tried.length === (entry.recipients ?? entry.to).length;
    logSent(context, { ...entry, from: address, to: isToAll ? entry.to : tried }, unlogged);
  }

  async #retryLater(pending: PendingDelivery): Promise<void> {
    pending.isResting = true;
    await this.#options.context.host.clock.sleep(waitMsAfter(RETRIES, pending.failures++), this.#closing.signal);
    pending.isResting = false;
    this.#pump();
  }

  #warn(error: unknown): void {
    const { context, address } = this.#options;
    context.log.append({ event: 'warning', from: address, detail: errorFacts(error).message });
  }
}

interface PendingDelivery extends Queued {
  readonly entry: OutboxEntry;
  readonly refused: Refused[];
  /** Outcomes that are not logged yet. */
  unlogged: Record<string, DeliveryOutcome>;
  isRepeat: boolean;
  failures: number;
}

/** What a queue knows of an unfinished message. */
export interface Queued {
  /** The recipients that it has not reached yet. */
  readonly recipients: Set<string>;
  /** Waits for its next attempt. */
  isResting: boolean;
  /** During a delivery: resolves with whether the next message to the same recipient may be linked. */
  mayFollow: Promise<boolean> | undefined;
}

/** A queue of messages for each recipient, in the order of the commits; a message to several is in several queues. */
class OutboxQueues<T extends Queued> {
  readonly #queues = new Map<string, T[]>();
  readonly #all = new Set<T>();

  /** How many messages there are. */
  get size(): number {
    return this.#all.size;
  }

  add(pending: T): void {
    this.#all.add(pending);
    for (const address of pending.recipients) {
      const queue = this.#queues.get(address);
      if (queue) queue.push(pending);
      else this.#queues.set(address, [pending]);
    }
  }

  /** The message is delivered to, or refused by, this recipient. */
  reached(pending: T, address: string): void {
    pending.recipients.delete(address);
    const queue = this.#queues.get(address) ?? [];
    const at = queue.indexOf(pending);
    if (at >= 0) queue.splice(at, 1);
    if (queue.length === 0) this.#queues.delete(address);
    if (pending.recipients.size === 0) this.#all.delete(pending);
  }

  /** The recipients in whose queue the message is first. */
  freeOf(pending: T): string[] {
    return [...pending.recipients].filter((address) => this.#queues.get(address)?.[0] === pending);
  }

  /**
   * The messages that may start: the first in each queue, and the next one behind a message that is being delivered, with that as
   * `before`. So many messages to one recipient cost no more than one, and they delay no other recipient.
   */
  *startable(): Iterable<{ readonly pending: T; readonly before: T | undefined }> {
    for (const queue of this.#queues.values()) {
      for (const [index, pending] of queue.entries()) {
        if (!pending.mayFollow && !pending.isResting) yield { pending, before: queue[index - 1] };
        // It is not in delivery, and was not started just now either: the rest of the queue waits.
        if (!pending.mayFollow) break;
      }
    }
  }
}
