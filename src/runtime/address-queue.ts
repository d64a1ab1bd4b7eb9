interface Turn {
  /** Of the child that is being opened; undefined where a workflow is being closed. */
  readonly incarnation: string | undefined;
  readonly done: Promise<void>;
}

/** What is being opened or closed in this process: at each address one after the other, because two would fence each other. */
export class AddressTurns {
  readonly #last = new Map<string, Turn>();

  /** The last turn at an address that is not over, or has failed and is not forgotten yet. */
  at(address: string): Turn | undefined {
    return this.#last.get(address);
  }

  /** Does the work when every earlier turn at the address is over, however that ended. Rejects as the work does. */
  async take(address: string, incarnation: string | undefined, work: () => Promise<void>): Promise<void> {
    const done = this.takeAndKeep(address, incarnation, work);
    try {
      await done;
    } finally {
      this.forget(address, done);
    }
  }

  /** The same; where it fails, whoever asks for the turn at the address is told so until it is forgotten. */
  takeAndKeep(address: string, incarnation: string | undefined, work: () => Promise<void>): Promise<void> {
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

  /** Resolves when every turn that was taken is over. */
  async allOver(): Promise<void> {
    await Promise.allSettled([...this.#last.values()].map(({ done }) => done));
  }
}
