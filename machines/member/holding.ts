import { z } from 'zod';
import type { Offers, Work } from './heard.ts';
import { readStored, writeStored } from './stored.ts';

const held = z.object({
  task: z
    .object({
      taskId: z.string(),
      /** 0 while it is only claimed. */
      epoch: z.number(),
      distributor: z.string(),
      state: z.enum(['claimed', 'at-work', 'disputed', 'handed-in']),
    })
    .nullable(),
  /** Tasks that it has given back, and does not try again. */
  givenBack: z.array(z.string()),
});

export type Held = NonNullable<z.output<typeof held>['task']>;

/** The one task that a member has, as it knows it; on the disk before anything depends on it. */
export class Holding {
  readonly #file: string;
  #held: z.output<typeof held>;
  /** What was offered last, by whoever distributes. */
  #offers: { readonly from: string; readonly tasks: Offers } = { from: '', tasks: [] };

  constructor(file: string) {
    this.#file = file;
    const stored = held.safeParse(readStored(file));
    this.#held = stored.success ? stored.data : { task: null, givenBack: [] };
  }

  get task(): Held | null {
    return this.#held.task;
  }

  /** Notes what can be claimed now. */
  offered(from: string, tasks: Offers): void {
    this.#offers = { from, tasks };
  }

  /** The first of what is offered that it may claim now. */
  wanted(): { readonly taskId: string; readonly distributor: string } | null {
    const { from: distributor, tasks } = this.#offers;
    const first = this.#held.task === null && tasks.find(({ id }) => !this.#held.givenBack.includes(id));
    return first ? { taskId: first.id, distributor } : null;
  }

  claim({ taskId, distributor }: { readonly taskId: string; readonly distributor: string }): void {
    this.#store({ ...this.#held, task: { taskId, epoch: 0, distributor, state: 'claimed' } });
  }

  /** Whether it has claimed this task, of this distribution. */
  mayBegin({ taskId }: Work, distributor: string): boolean {
    const { task } = this.#held;
    return task?.taskId === taskId && task.distributor === distributor;
  }

  begin({ taskId, epoch }: Work, distributor: string): void {
    this.#store({ ...this.#held, task: { taskId, epoch, distributor, state: 'at-work' } });
  }

  isAtWork({ taskId, epoch }: Work): boolean {
    const { task } = this.#held;
    return task?.taskId === taskId && task.epoch === epoch && task.state !== 'claimed';
  }

  handedIn(): void {
    this.#become('handed-in');
  }

  /** What is to be changed is put to the vote. */
  dispute(): void {
    this.#become('disputed');
  }

  giveBack(taskId: string): void {
    const givenBack = [...new Set([...this.#held.givenBack, taskId])];
    this.#store({ task: this.#held.task?.taskId === taskId ? null : this.#held.task, givenBack });
  }

  /** It is done, lost or refused. */
  free(): void {
    this.#store({ ...this.#held, task: null });
  }

  #become(state: Held['state']): void {
    const { task } = this.#held;
    if (task) this.#store({ ...this.#held, task: { ...task, state } });
  }

  #store(next: z.output<typeof held>): void {
    writeStored(this.#file, next);
    this.#held = next;
  }
}
