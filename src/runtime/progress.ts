import { syncDirectory } from '../host/files.ts';
import type { Durability, Mailbox } from '../mailbox/mailbox.ts';
import { dayOfId } from '../message/message-id.ts';
import type { EffectProgress, Unperformed } from '../journal/record.ts';

/** How far this host is with the effects of records: done, synced, written to the journal. */
export class ProgressKeeper {
  readonly #mailbox: Mailbox;
  readonly #durability: Durability;
  /** Records whose effects are not all done and synced, oldest first. */
  readonly #open: { readonly seq: number; readonly day: string | undefined; isDone: boolean; isSynced: boolean }[] = [];
  #performed: number;
  #delivered: string[] = [];
  #written: number;

  constructor(options: { mailbox: Mailbox; durability: Durability; performed: number }) {
    this.#mailbox = options.mailbox;
    this.#durability = options.durability;
    this.#performed = options.performed;
    this.#written = options.performed;
  }

  /** How many records have unfinished effects. */
  get outstanding(): number {
    return this.#open.length;
  }

  /** Whether there is progress that the journal does not have yet. */
  get hasNews(): boolean {
    return this.#performed > this.#written || this.#delivered.length > 0 || this.#open.some(({ isDone }) => isDone);
  }

  /** Whether the mail of all records so far is moved, and their actions have run. */
  get isMoved(): boolean {
    return this.#open.every(({ isDone }) => isDone);
  }

  /** Whether all effects so far are done; `undelivered` is how many messages are unfinished as far as the journal says. */
  isComplete({ undelivered }: { undelivered: number }): boolean {
    return this.#delivered.length === undelivered && this.isMoved;
  }

  begin({ seq, mail }: Unperformed): void {
    this.#open.push({ seq, day: mail && dayOfId(mail.id), isDone: false, isSynced: false });
  }

  done(seq: number): void {
    const found = this.#open.find((one) => one.seq === seq);
    if (!found) return;
    found.isDone = true;
    // A rename survives a kill by itself; only a power loss can undo it.
    if (this.#durability === 'process' || found.day === undefined) found.isSynced = true;
    this.#settle();
  }

  delivered(id: string): void {
    this.#delivered.push(id);
  }

  /** Syncs the moves of all handled mail, one directory at a time. Throws the system's error. */
  async sync(): Promise<void> {
    const moved = this.#open.filter(({ isDone, isSynced }) => isDone && !isSynced);
    if (moved.length === 0) return;
    const { layout, host, sharedSync } = this.#mailbox;
    const days = new Set(moved.map(({ day }) => `${layout.done}/${day}`));
    const directories = [...days].filter((path) => host.files.lstat(path));
    for (const path of [...directories, layout.done, layout.dead, layout.cur]) await syncDirectory(host.files, path);
    await sharedSync.directory(layout.new);
    for (const one of moved) one.isSynced = true;
    this.#settle();
  }

  /** The progress for the next record; call `written` once that record is in the journal. */
  next(started: readonly string[] = []): { readonly progress: EffectProgress; readonly written: () => void } {
    const performed = this.#performed;
    // A copy: a message that is delivered while the record is being appended belongs to the next record.
    const delivered = [...this.#delivered];
    return {
      progress: { performed, delivered, started },
      written: () => {
        this.#written = performed;
        this.#delivered = this.#delivered.slice(delivered.length);
      },
    };
  }

  #settle(): void {
    while (this.#open[0]?.isDone && this.#open[0].isSynced) {
      this.#performed = this.#open.shift()?.seq ?? this.#performed;
    }
  }
}
