/** Whether a workflow has ended and everything that it committed is done. */
export class Settling {
  #isSettled = false;
  readonly #waiting: (() => void)[] = [];

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** It has ended, and there is nothing left to do here; or this host has let it go. May be called again. */
  settle(): void {
    this.#isSettled = true;
    for (const go of this.#waiting.splice(0)) go();
  }

  /** It is started anew. */
  begin(): void {
    this.#isSettled = false;
  }

  /** Resolves when it is settled. */
  settled(): Promise<void> {
    return this.#isSettled ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }
}
