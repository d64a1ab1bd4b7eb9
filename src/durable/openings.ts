interface Opening {
  readonly parent: string;
  readonly done: Promise<void>;
}

/** The children that are being opened, or will be tried again, by the workflow that has started them. */
export class Openings {
  readonly #all = new Set<Opening>();

  /** `work` must not reject. */
  add(parent: string, work: Promise<void>): void {
    const opening = { parent, done: work.finally(() => this.#all.delete(opening)) };
    this.#all.add(opening);
  }

  /** Resolves when one of those is over whose parent is such a one; undefined when there is none. */
  under(isParent: (address: string) => boolean): Promise<void> | undefined {
    return [...this.#all].find(({ parent }) => isParent(parent))?.done;
  }
}
