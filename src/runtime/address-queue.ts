interface QueuedWork {
  /** The incarnation of the child that is being opened; undefined for a workflow that is opened by hand or released. */
  readonly incarnation: string | undefined;
  readonly done: Promise<void>;
}

/** Opens and releases workflows of this process, at each address one after the other, because two would fence each other. */
export class AddressQueue {
  readonly #last = new Map<string, QueuedWork>();

  /** The last work at an address that is not done, or has failed and is not forgotten yet. */
  last(address: string): QueuedWork | undefined {
    return this.#last.get(address);
  }

  /** Runs the work after all earlier work at the address, whether that failed or not. Rejects if the work does. */
  async run(address: string, incarnation: string | undefined, work: () => Promise<void>): Promise<void> {
    const done = this.runAndKeep(address, incarnation, work);
    try {
      await done;
    } finally {
      this.forget(address, done);
    }
  }

  /** The same, but a failure is kept and reported to later callers of `last` until `forget`. */
  runAndKeep(address: string, incarnation: string | undefined, work: () => Promise<void>): Promise<void> {
    const before = this.#last.get(address)?.done;
    const done = before ? before.then(work, work) : work();
    this.#last.set(address, { incarnation, done });
    done.then(
      () => this.forget(address, done),
      () => {},
    );
    return done;
  }

  forget(address: string, done: Promise<void>): void {
    if (this.#last.get(address)?.done === done) this.#last.delete(address);
  }

  /** Resolves when all work that is queued now is done. */
  async whenIdle(): Promise<void> {
    await Promise.allSettled([...this.#last.values()].map(({ done }) => done));
  }
}
