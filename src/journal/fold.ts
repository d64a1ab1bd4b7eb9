import type { ChainRecord } from '../chain/record.ts';
import { ChainDamaged, RoomRefused, UPDATE_HINT } from '../errors.ts';
import type { WorkflowState } from '../step/workflow-state.ts';
import {
  formatOf,
  isKnownFormat,
  JOURNAL_VERSION,
  type Carried,
  type CommitRecord,
  type FailedRecord,
  type JournalBody,
  type NoteRecord,
  type OpenRecord,
  type OutboxEntry,
  type EffectProgress,
  type Unperformed,
} from './record.ts';

/** The state that a journal's records add up to. Memory grows with what is left to do, never with the history. */
export class JournalFold {
  readonly #where: string;
  #open: OpenRecord | undefined;
  #openedBy = '';
  #state: WorkflowState | undefined;
  #performed = 0;
  #unperformed: Unperformed[] = [];
  #undelivered = new Map<string, OutboxEntry>();
  #started = new Set<string>();
  #isClosed = false;
  #carriedBytes = 0;

  /** `where` is the journal's directory, for error messages. */
  constructor(where: string) {
    this.#where = where;
  }

  /** Undefined if the workflow was never started. */
  get state(): WorkflowState | undefined {
    return this.#state;
  }
  /** The `open` record of the last host that took the workflow. */
  get open(): OpenRecord | undefined {
    return this.#open;
  }
  /** The chain writer of that record. */
  get openedBy(): string {
    return this.#openedBy;
  }
  get performed(): number {
    return this.#performed;
  }
  /** Oldest first. */
  get unperformed(): readonly Unperformed[] {
    return this.#unperformed;
  }
  /** In the order in which they were sent. */
  get undelivered(): ReadonlyMap<string, OutboxEntry> {
    return this.#undelivered;
  }
  /** Effect ids of calls that a host wrote it was about to start. */
  get started(): ReadonlySet<string> {
    return this.#started;
  }
  /** Whether the last host closed the journal cleanly. */
  get isClosed(): boolean {
    return this.#isClosed;
  }
  /** Length in characters of the state that the last segment carried over; 0 in the first segment. */
  get carriedBytes(): number {
    return this.#carriedBytes;
  }

  /** Applies a record that counts. Throws RoomRefused for a newer format, ChainDamaged for an inconsistent record. */
  apply(record: ChainRecord): void {
    if ('seal' in record) return;
    if ('carried' in record) {
      this.#adopt(record.carried as Carried);
      this.#carriedBytes = JSON.stringify(record.carried).length;
      return;
    }
    const body = record.body as Partial<Record<'open' | 'commit' | 'failed' | 'note' | 'performed', never>>;
    if ('open' in body) this.#take(body as Extract<JournalBody, { open: unknown }>, record.by);
    else if ('commit' in body) this.#commit(record.seq, body.commit);
    else if ('failed' in body) this.#fail(record.seq, body.failed);
    else if ('note' in body) this.#note(record.seq, body.note);
    else if ('performed' in body) {
      const { performed } = body as Extract<JournalBody, { performed: unknown }>;
      this.#progress(performed.progress);
      this.#isClosed = performed.isClosing === true;
    } else {
      throw new ChainDamaged(
        `record ${record.seq} of the journal in ${this.#where} has content that this version does not know`,
        {
          hint: 'A newer version of Mailroom may have written it: use that version.',
        },
      );
    }
  }

  /** The state that the next segment starts with. */
  carry(): Carried {
    if (!this.#open) throw new TypeError(`the journal in ${this.#where} ends a segment before a host has opened it`);
    return {
      v: formatOf(this.#state),
      open: this.#open,
      openedBy: this.#openedBy,
      ...(this.#state === undefined ? {} : { state: this.#state }),
      performed: this.#performed,
      unperformed: this.#unperformed,
      undelivered: [...this.#undelivered.values()],
      started: [...this.#started],
    };
  }

  #take({ open }: { open: OpenRecord }, by: string): void {
    this.#assertKnown(open.v);
    this.#open = open;
    this.#openedBy = by;
    this.#isClosed = false;
  }

  #commit(seq: number, commit: CommitRecord): void {
    const { cause, state, outbox, actions, progress } = commit;
    this.#progress(progress);
    // A retried or given-up cause counts as reported, too.
    for (const one of [cause, this.#state?.failed?.cause]) {
      if (one?.kind === 'undelivered') this.#undelivered.delete(one.messageId);
    }
    this.#state = state;
    for (const entry of outbox) this.#undelivered.set(entry.id, entry);
    const mail = 'mail' in cause ? cause.mail : undefined;
    // A STOP takes effect even if the machine throws at it.
    const failed = commit.verdict === 'failed' && mail && cause.kind !== 'stop';
    this.#left(seq, {
      seq,
      ...(mail ? { mail } : {}),
      ...(failed ? { refusal: { reason: 'step-failed', detail: commit.failure?.message ?? 'the step failed' } } : {}),
      actions,
    });
  }

  /** The cause is not consumed, so its message stays in the mailbox. */
  #fail(seq: number, { at, cause, failure, progress }: FailedRecord): void {
    if (!this.#state)
      throw new ChainDamaged(`record ${seq} of the journal in ${this.#where} fails a workflow that never started`);
    this.#progress(progress);
    this.#state = { ...this.#state, failed: { at, cause, failure } };
    this.#isClosed = false;
  }

  #note(seq: number, { mail, verdict, reason, detail, progress }: NoteRecord): void {
    this.#progress(progress);
    const refusal = verdict === 'refused' ? { refusal: { reason: reason ?? 'rejected', detail } } : {};
    this.#left(seq, { seq, mail, actions: [], ...refusal });
  }

  #left(seq: number, unperformed: Unperformed): void {
    this.#isClosed = false;
    if (seq > this.#performed) this.#unperformed.push(unperformed);
  }

  #progress({ performed, delivered, started }: EffectProgress): void {
    if (performed > this.#performed) {
      this.#performed = performed;
      this.#unperformed = this.#unperformed.filter(({ seq }) => seq > performed);
    }
    for (const id of delivered) this.#undelivered.delete(id);
    for (const effectId of started) this.#started.add(effectId);
    if (this.#started.size > 0) this.#forgetStarted();
  }

  /** Forgets calls that are no longer pending, of which nobody asks whether they were started. */
  #forgetStarted(): void {
    const running = new Set(Object.values(this.#state?.calls ?? {}).map(({ effectId }) => effectId));
    for (const effectId of this.#started) if (!running.has(effectId)) this.#started.delete(effectId);
  }

  #adopt(carried: Carried): void {
    this.#assertKnown(carried.v);
    this.#open = carried.open;
    this.#openedBy = carried.openedBy;
    this.#state = carried.state;
    this.#performed = carried.performed;
    this.#unperformed = [...carried.unperformed];
    this.#undelivered = new Map(carried.undelivered.map((entry) => [entry.id, entry]));
    this.#started = new Set(carried.started);
    this.#isClosed = false;
  }

  #assertKnown(version: number): void {
    if (isKnownFormat(version)) return;
    throw new RoomRefused(
      `The journal in ${this.#where} has format ${version}; this Mailroom knows ${JOURNAL_VERSION}.`,
      {
        hint: UPDATE_HINT,
      },
    );
  }
}
