import { syncDirectory } from '../host/files.ts';
import type { Durability, Mailbox } from '../mailbox/mailbox.ts';
import { dayOfId } from '../message/message-id.ts';
import type { Progress, Unperformed } from '../journal/record.ts';

/** How far this host is with the consequences of records: done, on the disk, written down. */
export class ProgressKeeper {
  readonly #mailbox: Mailbox;
  readonly #durability: Durability;
  /** Records whose consequences are not all done and on the disk, oldest first. */
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

  /** How many records have consequences that are not done. */
  get outstanding(): number {
    return this.#open.length;
  }

  /** Whether something is done that the journal does not say yet. */
  get hasNews(): boolean {
    return this.#performed > this.#written || this.#delivered.length > 0 || this.#open.some(({ isDone }) => isDone);
  }

  /** Whether the mail of all that was begun is moved, and its actions are run. */
  get isMoved(): boolean {
    return this.#open.every(({ isDone }) => isDone);
  }

  /** Whether all that was begun is done; `undelivered` is how many messages have not reached their end as far as the journal says. */
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
    // A rename survives a kill by itself; only a loss of power undoes it.
    if (this.#durability === 'process' || found.day === undefined) found.isSynced = true;
    this.#settle();
  }

  delivered(id: string): void {
    this.#delivered.push(id);
  }

  /** Puts the moves of all mail that is dealt with on the disk, a directory at a time. Throws the system's error. */
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

  /** What the next record says; `written` is called once it is in the journal. */
  next(started: readonly string[] = []): { readonly progress: Progress; readonly written: () => void } {
    const performed = this.#performed;
    // A copy: what reaches its end while the record is being appended belongs to the next one.
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
