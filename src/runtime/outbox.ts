import type { OutboxEntry } from '../journal/record.ts';
import type { DeliveryOutcome } from '../mailbox/deliver.ts';
import type { Durability } from '../mailbox/mailbox.ts';
import type { RateCounter } from '../rate/counter.ts';
import type { RoomContext } from '../room/context.ts';
import { openCounter } from '../room/open-counter.ts';
import { logSent } from '../room/deliver-and-log.ts';
import { errorFacts, type ErrorFacts } from '../workflow/plain-facts.ts';
import { attemptDelivery, type DeliveryAttempt, isFinal, isPurged } from './deliver-entry.ts';
import { waitMsAfter } from '../host/growing-wait.ts';

const RETRIES = { msMin: 250, msMax: 30_000 };
/** Deliveries at once. Each ends, and what is stuck is none until it is tried again. */
const DELIVERIES_MAX = 256;
/** Deliveries under way beyond which none is written to the disk ahead of its turn. */
const UNDER_WAY_MAX = 32;

export interface OutboxOptions {
  readonly context: RoomContext;
  readonly address: string;
  readonly durability: Durability;
  /** Whether the mailbox of this child is there yet; waited for before it is sent anything. */
  readonly childReady: (address: string, entry: OutboxEntry) => Promise<void>;
  /** It has reached its end at every recipient, and that is on the disk where it has to be. */
  readonly onDelivered: (entry: OutboxEntry) => void;
  /** It has reached its end, and at these recipients it is refused for good. */
  readonly onRefused: (entry: OutboxEntry, refused: readonly Refused[]) => void;
}

export interface Refused {
  readonly to: string;
  readonly error: ErrorFacts;
}

/**
 * Delivers what a workflow's commits say, in their order, beside the workflow's own loop: paced by the rate limit, and
 * tried again for as long as it fails for now. To each recipient the messages go in the order of the commits; one that is
 * stuck holds up only later ones to the same recipient. Where that takes the disk, a message is written ahead of its turn,
 * is linked as soon as the one before it is, and the directory is synced for all of them at once.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #queues = new OutboxQueues<Waiting>();
  readonly #unpaced: Waiting[] = [];
  readonly #leaving = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  #counter: RateCounter | undefined;
  #isPacing = false;
  #deliveries = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** How many messages have not reached their end. */
  get size(): number {
    return this.#queues.size + this.#unpaced.length;
  }

  /** `isRepeat`: an earlier host may have delivered it. */
  add(entry: OutboxEntry, { isRepeat }: { isRepeat: boolean }): void {
    const recipients = new Set(entry.recipients ?? entry.to);
    const waiting: Waiting = {
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
      this.#queues.add(waiting);
      this.#pump();
      return;
    }
    this.#unpaced.push(waiting);
    this.#start(this.#pace());
  }

  /** Ends the waiting and resolves when nothing is under way any more. What is left is in the journal. */
  async close(): Promise<void> {
    this.#leaving.abort();
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    this.#counter?.close();
  }

  #start(work: Promise<void>): void {
    const tracked = work.catch((error: unknown) => this.#warn(error)).finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
  }

  /** Takes the grants one after the other, in the order of the commits; a repeated message is not charged again. */
  async #pace(): Promise<void> {
    if (this.#isPacing) return;
    this.#isPacing = true;
    const { signal } = this.#leaving;
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
    const { signal } = this.#leaving;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        context.standing.assertSame();
        this.#counter ??= openCounter(context, address);
        await this.#counter.pace({ id }, { signal });
        return;
      } catch (error) {
        if (signal.aborted) return;
        // The counter cannot be written now: the message has been accepted, so it goes out later.
        this.#warn(error);
        await context.host.clock.sleep(waitMsAfter(RETRIES, failures), signal);
      }
    }
  }

  /** Starts every delivery that nothing before it holds up. */
  #pump(): void {
    if (this.#leaving.signal.aborted) return;
    for (const { waiting, before } of this.#queues.startable()) {
      if (this.#deliveries >= DELIVERIES_MAX) return;
      const ahead = before && this.#aheadOf(waiting, before);
      if (before && !ahead) continue;
      this.#begin(waiting, before ? [...waiting.recipients] : this.#queues.freeOf(waiting), ahead);
    }
  }

  /** The delivery that this one can be made behind, if it is to wait only for being linked. */
  #aheadOf({ recipients }: Waiting, before: Waiting): Promise<boolean> | undefined {
    if (this.#options.durability !== 'power' || this.#underWay.size >= UNDER_WAY_MAX) return undefined;
    // One to several is not: only its first recipient waits for its turn.
    return recipients.size === 1 && before.recipients.size === 1 ? before.mayFollow : undefined;
  }

  #begin(waiting: Waiting, addresses: readonly string[], ahead: Promise<boolean> | undefined): void {
    let letFollow: (isLinked: true) => void = () => {};
    const linked = new Promise<true>((resolve) => (letFollow = resolve));
    const delivering = this.#deliver(waiting, addresses, { ahead, onLinked: () => letFollow(true) });
    waiting.mayFollow = Promise.race([linked, delivering.catch(() => false)]);
    this.#deliveries += 1;
    this.#start(delivering.finally(() => (this.#deliveries -= 1)).then(() => this.#pump()));
  }

  /** Whether it has reached its end. `ahead` is the delivery before it to the same recipient: whether it may follow. */
  async #deliver(
    waiting: Waiting,
    addresses: readonly string[],
    { ahead, onLinked }: Pick<DeliveryAttempt, 'ahead' | 'onLinked'>,
  ): Promise<boolean> {
    const { entry } = waiting;
    const { context, address, durability, childReady, onDelivered, onRefused } = this.#options;
    const { isRepeat } = waiting;
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
    waiting.mayFollow = undefined;
    // Then it was not linked, and that is no fault of its own.
    if (isHeldUp) return false;
    Object.assign(waiting.unlogged, posted);
    let isStuck = false;
    for (const [to, outcome] of outcomes) {
      if (outcome.outcome === 'delivered' || isPurged(outcome.error)) {
        this.#queues.reached(waiting, to);
      } else if (isFinal(outcome.error)) {
        this.#queues.reached(waiting, to);
        const { id, type } = entry;
        context.log.append({ event: 'undeliverable', id, from: address, to, type, detail: outcome.error.message });
        waiting.refused.push({ to, error: errorFacts(outcome.error) });
      } else {
        isStuck = true;
        if (waiting.failures === 0) this.#warn(outcome.error);
      }
    }
    // What was tried once may have arrived although it looked otherwise.
    waiting.isRepeat = true;
    // One to several may go out in parts, since it is held up only where another one is before it. The log has it once.
    if (waiting.recipients.size === 0 || (isStuck && waiting.failures === 0)) this.#log(waiting);
    if (isStuck) {
      this.#start(this.#retryLater(waiting));
    } else if (waiting.recipients.size === 0) {
      if (waiting.refused.length > 0) onRefused(entry, waiting.refused);
      else onDelivered(entry);
    }
    return waiting.recipients.size === 0;
  }

  /** What became of it at the recipients that were tried since the last time. */
  #log(waiting: Waiting): void {
    const { context, address } = this.#options;
    const { entry, unlogged } = waiting;
    const tried = Object.keys(unlogged);
    if (tried.length === 0) return;
    waiting.unlogged = {};
    const isToAll = tried.length === (entry.recipients ?? entry.to).length;
    logSent(context, { ...entry, from: address, to: isToAll ? entry.to : tried }, unlogged);
  }

  async #retryLater(waiting: Waiting): Promise<void> {
    waiting.isResting = true;
    await this.#options.context.host.clock.sleep(waitMsAfter(RETRIES, waiting.failures++), this.#leaving.signal);
    waiting.isResting = false;
    this.#pump();
  }

  #warn(error: unknown): void {
    const { context, address } = this.#options;
    context.log.append({ event: 'warning', from: address, detail: errorFacts(error).message });
  }
}

interface Waiting extends Queued {
  readonly entry: OutboxEntry;
  readonly refused: Refused[];
  /** Outcomes that are not in the log yet. */
  unlogged: Record<string, DeliveryOutcome>;
  isRepeat: boolean;
  failures: number;
}

/** What a queue knows of a message that has not reached its end. */
export interface Queued {
  /** Those it has not reached yet. */
  readonly recipients: Set<string>;
  /** Between two tries. */
  isResting: boolean;
  /** While it is being delivered: whether the next one to the same recipient may be linked. */
  mayFollow: Promise<boolean> | undefined;
}

/** The messages to each recipient, in the order of the commits; one to several stands in the queue of each. */
class OutboxQueues<T extends Queued> {
  readonly #queues = new Map<string, T[]>();
  readonly #all = new Set<T>();

  /** How many messages there are. */
  get size(): number {
    return this.#all.size;
  }

  add(waiting: T): void {
    this.#all.add(waiting);
    for (const address of waiting.recipients) {
      const queue = this.#queues.get(address);
      if (queue) queue.push(waiting);
      else this.#queues.set(address, [waiting]);
    }
  }

  /** It has reached its end at this recipient. */
  reached(waiting: T, address: string): void {
    waiting.recipients.delete(address);
    const queue = this.#queues.get(address) ?? [];
    const at = queue.indexOf(waiting);
    if (at >= 0) queue.splice(at, 1);
    if (queue.length === 0) this.#queues.delete(address);
    if (waiting.recipients.size === 0) this.#all.delete(waiting);
  }

  /** The recipients at which nothing is before it. */
  freeOf(waiting: T): string[] {
    return [...waiting.recipients].filter((address) => this.#queues.get(address)?.[0] === waiting);
  }

  /**
   * Those that may be begun: the first to each recipient, and behind one that is being delivered the next, with that as
   * `before`. So what many messages to one recipient cost is no more than what one costs, and they hold up nobody else.
   */
  *startable(): Iterable<{ readonly waiting: T; readonly before: T | undefined }> {
    for (const queue of this.#queues.values()) {
      for (const [index, waiting] of queue.entries()) {
        if (!waiting.mayFollow && !waiting.isResting) yield { waiting, before: queue[index - 1] };
        // It is not being delivered, nor was it begun just now: what is behind it waits.
        if (!waiting.mayFollow) break;
      }
    }
  }
}
