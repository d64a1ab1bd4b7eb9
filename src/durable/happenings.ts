import type { Cause } from '../machine/cause.ts';
import type { WorkflowState } from '../machine/workflow-state.ts';
import type { Committer } from './committer.ts';
import type { JournalFold } from './journal-fold.ts';

/** The cause that it is when its turn comes; undefined when nobody waits for it any more. */
export type Happening = (state: WorkflowState | undefined) => Cause | undefined;

/** What happened in this process and is not committed yet, oldest first. */
export class Happenings {
  readonly #waiting: Happening[] = [];

  add(happening: Happening): void {
    this.#waiting.push(happening);
  }

  /** Commits all of it. Throws as the committer; what was not committed stays. */
  async take({ fold, committer }: { readonly fold: JournalFold; readonly committer: Committer }): Promise<void> {
    for (let happening = this.#waiting[0]; happening; happening = this.#waiting[0]) {
      const cause = happening(fold.state);
      if (cause) await committer.commit(cause);
      this.#waiting.shift();
    }
  }
}
