import type { Cause } from '../machine/cause.ts';
import type { WorkflowState } from '../machine/workflow-state.ts';
import type { Committer } from './committer.ts';
import type { JournalFold } from './journal-fold.ts';

/** The cause that it is when its turn comes; undefined when nobody waits for it any more. */
export type Happening = (state: WorkflowState | undefined) => Cause | undefined;

/** What happened in this process and is not committed yet, oldest first. */
export class Happenings {
  readonly #waiting: Happening[] = [];
  readonly #evenFailed: boolean;

  /** While the workflow is FAILED all of it waits, except for what a person asks for, `evenFailed`. */
  constructor({ evenFailed = false }: { readonly evenFailed?: boolean } = {}) {
    this.#evenFailed = evenFailed;
  }

  add(happening: Happening): void {
    this.#waiting.push(happening);
  }

  /** Commits all of it. Throws as the committer; what was not committed stays. */
  async take({ fold, committer }: { readonly fold: JournalFold; readonly committer: Committer }): Promise<void> {
    for (let happening = this.#waiting[0]; happening; happening = this.#waiting[0]) {
      if (fold.state?.failed && !this.#evenFailed) return;
      const cause = happening(fold.state);
      if (cause) await committer.commit(cause);
      // Nothing of it is used up: it may be over by the time that the workflow goes on.
      if (fold.state?.failed && !this.#evenFailed) return;
      this.#waiting.shift();
    }
  }
}
