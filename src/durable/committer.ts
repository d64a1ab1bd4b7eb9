import type { AnyStateMachine } from 'xstate';
import { RecordTooLarge } from '../chain/record-too-large.ts';
import { advance, failedStep, type Advance, type AdvanceOptions } from '../machine/advance.ts';
import type { Cause, MailFacts } from '../machine/cause.ts';
import type { ErrorFacts } from '../machine/workflow-state.ts';
import type { IdSource } from '../message/message-id.ts';
import type { RoomContext } from '../room/context.ts';
import { createIds } from '../room/ids.ts';
import type { CommitRecord, FailedRecord, JournalBody, NoteRecord, OutboxEntry } from './journal-record.ts';
import type { Journal } from './journal.ts';
import type { ProgressKeeper } from './progress.ts';
import { sealEntry } from './sealed-entry.ts';
import { stepBytesMax, tooLarge, withoutResult } from './step-size.ts';
import { describeCommit } from './describe-state.ts';
import { during, stepText } from './during.ts';
import { describeFailed } from './story.ts';

/** Is told of a record once it is true. */
export type CommitListener = (
  entry: { readonly seq: number } & (
    { readonly commit: CommitRecord } | { readonly failed: FailedRecord } | { readonly note: NoteRecord }
  ),
) => void;

export interface CommitterOptions {
  readonly context: RoomContext;
  readonly journal: Journal;
  readonly machine: AnyStateMachine;
  readonly progress: ProgressKeeper;
  readonly onCommit: CommitListener;
  /** Whether an ancestor of it, or a child of one, runs at an address. */
  readonly isKin: (address: string) => boolean;
}

type Made = Parameters<CommitListener>[0];

/** Turns causes into records. They are true, and told to others, after `makeTrue`; until then nothing has left the process. */
export class Committer {
  readonly #options: CommitterOptions;
  readonly #ids: IdSource;
  #made: Made[] = [];

  constructor(options: CommitterOptions) {
    this.#options = options;
    this.#ids = createIds(options.context, options.journal.address);
  }

  /**
   * Takes one step and appends it; one that fits into no record fails. Throws Fenced and errors of the file system; then the
   * step is not taken.
   */
  async commit(cause: Cause): Promise<void> {
    const { context, journal, machine, isKin } = this.#options;
    const { address, fold } = journal;
    const at = context.host.clock.now();
    const step = { machine, address, state: fold.state, cause, at, nextId: () => this.#ids.next(at), isKin };
    try {
      const advanced = during(context, address, { on: stepText(cause), work: () => advance(step) });
      await this.#append(step, advanced, stepBytesMax(cause));
    } catch (error) {
      if (!(error instanceof RecordTooLarge)) throw error;
      const withError = withoutResult(cause);
      if (withError) await this.commit(withError);
      else await this.#fail(step, tooLarge(error));
    }
  }

  /** Appends that the step failed. Where its message is so large that not even that fits, the record only names the message. */
  async #fail(step: AdvanceOptions, failure: ErrorFacts): Promise<void> {
    try {
      await this.#append(step, failedStep(step, failure));
    } catch (error) {
      if (!(error instanceof RecordTooLarge) || step.cause.kind !== 'message') throw error;
      const { id, from, type } = step.cause.mail;
      await this.note({ id, from, type }, { verdict: 'refused', reason: 'step-failed', detail: failure.message });
    }
  }

  async #append({ cause, at, address }: AdvanceOptions, advanced: Advance, bytesMax?: number): Promise<void> {
    const { context, journal, progress } = this.#options;
    const { state, verdict, failure, mail, actions, logs, emitted, kin } = advanced;
    const next = progress.next();
    if (state.failed) {
      const failed: FailedRecord = { ...state.failed, ...(kin ? { kin } : {}), progress: next.progress };
      const seq = await journal.append({ failed });
      next.written();
      this.#made.push({ seq, failed });
      return;
    }
    const commit: CommitRecord = {
      at,
      cause,
      verdict,
      ...(failure ? { failure } : {}),
      state,
      outbox: mail.map((one) => sealEntry(context, { mail: one, from: address })),
      actions,
      logs,
      emitted,
      ...(kin ? { kin } : {}),
      progress: next.progress,
    };
    const seq = await journal.append({ commit }, bytesMax);
    next.written();
    this.#made.push({ seq, commit });
  }

  /** Appends that a message changed nothing. Throws as `commit`. */
  async note(mail: MailFacts, verdict: Pick<NoteRecord, 'verdict' | 'reason' | 'detail'>): Promise<void> {
    const { context, journal, progress } = this.#options;
    const next = progress.next();
    const note: NoteRecord = { at: context.host.clock.now(), mail, ...verdict, progress: next.progress };
    const seq = await journal.append({ note });
    next.written();
    this.#made.push({ seq, note });
  }

  /** Appends how far everything is, and which calls are about to be started. Throws as `commit`. */
  async writeProgress({
    started = [],
    isClosing = false,
  }: { started?: readonly string[]; isClosing?: boolean } = {}): Promise<void> {
    const { context, journal, progress } = this.#options;
    const next = progress.next(started);
    const at = context.host.clock.now();
    const body: JournalBody = { performed: { at, progress: next.progress, ...(isClosing ? { isClosing } : {}) } };
    await journal.append(body);
    next.written();
    // Whatever was announced must be on the disk before it begins.
    if (started.length > 0) await journal.sync();
  }

  /**
   * Puts what was appended on the disk, as far as the durability asks for it, and tells of it. The messages that now go
   * out; undefined when there is no step or note. Throws the system's error.
   */
  async makeTrue(): Promise<{ readonly outbox: readonly OutboxEntry[] } | undefined> {
    // How far everything is may be lost with the power: it is done once more then, which changes nothing.
    if (this.#made.length === 0) return undefined;
    // From here on the steps are true.
    await this.#options.journal.sync();
    const made = this.#made;
    this.#made = [];
    for (const one of made) this.#tell(one);
    return { outbox: made.flatMap((one) => ('commit' in one ? one.commit.outbox : [])) };
  }

  #tell(made: Made): void {
    const { context, journal, onCommit } = this.#options;
    const to = journal.address;
    if ('failed' in made) {
      const detail = describeFailed(made.failed);
      context.log.append({ event: 'committed', to, outcome: 'failed', detail });
    }
    if ('commit' in made) {
      const { cause, logs } = made.commit;
      const mail = 'mail' in cause ? cause.mail : undefined;
      context.log.append({
        event: 'committed',
        ...(mail ? { id: mail.id, from: mail.from, type: mail.type } : {}),
        to,
        outcome: made.commit.verdict,
        detail: describeCommit(made.commit),
      });
      for (const { label, value } of logs) {
        const text = typeof value === 'string' ? value : JSON.stringify(value);
        context.log.append({ event: 'logged', from: to, content: label === undefined ? text : `${label}: ${text}` });
      }
    }
    onCommit(made);
  }
}
