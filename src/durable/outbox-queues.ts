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
export class OutboxQueues<T extends Queued> {
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
