import type { AnyStateMachine } from 'xstate';
import { RECORD_BYTES_MAX, RecordTooLarge } from '../chain/record.ts';
import { describeFailed, describeCommit } from '../journal/describe.ts';
import type { Journal } from '../journal/journal.ts';
import type { CommitRecord, FailedRecord, JournalBody, NoteRecord, OutboxEntry } from '../journal/record.ts';
import type { IdSource } from '../message/message-id.ts';
import type { RoomContext } from '../room/context.ts';
import { createIds } from '../room/ids.ts';
import { type Cause, errorEvent, type MailFacts } from '../step/cause.ts';
import { stepWorkflow, type StepResult, type StepOptions, failedStep } from '../step/step.ts';
import type { ErrorFacts } from '../step/workflow-state.ts';
import { sealEntry } from './deliver-entry.ts';
import { during, stepText } from './during.ts';
import type { ProgressKeeper } from './progress.ts';

/** Called with a record once it is true. */
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
  /** Whether an ancestor of the workflow, or a child of one, runs at an address. */
  readonly isKin: (address: string) => boolean;
}

type CommittedRecord = Parameters<CommitListener>[0];

/** Turns causes into records. Records are true, and are reported, after `makeTrue`; until then nothing leaves the process. */
export class Committer {
  readonly #options: CommitterOptions;
  readonly #ids: IdSource;
  #appended: CommittedRecord[] = [];

  constructor(options: CommitterOptions) {
    this.#options = options;
    this.#ids = createIds(options.context, options.journal.address);
  }

  /**
   * Takes one step and appends its record. A step that is too large for a record fails. Throws Fenced and errors of the file
   * system; then the step is not taken.
   */
  async commit(cause: Cause): Promise<void> {
    const { context, journal, machine, isKin } = this.#options;
    const { address, fold } = journal;
    const at = context.host.clock.now();
    const step = { machine, address, state: fold.state, cause, at, nextId: () => this.#ids.next(at), isKin };
    try {
      const advanced = during(context, address, { on: stepText(cause), work: () => stepWorkflow(step) });
      await this.#append(step, advanced, stepBytesMax(cause));
    } catch (error) {
      if (!(error instanceof RecordTooLarge)) throw error;
      const withError = withoutResult(cause);
      if (withError) await this.commit(withError);
      else await this.#fail(step, tooLarge(error));
    }
  }

  /** Appends that the step failed. If the message is so large that not even this fits, the record only names the message. */
  async #fail(step: StepOptions, failure: ErrorFacts): Promise<void> {
    try {
      await this.#append(step, failedStep(step, failure));
    } catch (error) {
      if (!(error instanceof RecordTooLarge) || step.cause.kind !== 'message') throw error;
      const { id, from, type } = step.cause.mail;
      await this.note({ id, from, type }, { verdict: 'refused', reason: 'step-failed', detail: failure.message });
    }
  }

  async #append({ cause, at, address }: StepOptions, advanced: StepResult, bytesMax?: number): Promise<void> {
    const { context, journal, progress } = this.#options;
    const { state, verdict, failure, mail, actions, logs, emitted, kin } = advanced;
    const next = progress.next();
    if (state.failed) {
      const failed: FailedRecord = { ...state.failed, ...(kin ? { kin } : {}), progress: next.progress };
      const seq = await journal.append({ failed });
      next.written();
      this.#appended.push({ seq, failed });
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
    this.#appended.push({ seq, commit });
  }

  /** Appends that a message changed nothing. Throws what `commit` throws. */
  async note(mail: MailFacts, verdict: Pick<NoteRecord, 'verdict' | 'reason' | 'detail'>): Promise<void> {
    const { context, journal, progress } = this.#options;
    const next = progress.next();
    const note: NoteRecord = { at: context.host.clock.now(), mail, ...verdict, progress: next.progress };
    const seq = await journal.append({ note });
    next.written();
    this.#appended.push({ seq, note });
  }

  /** Appends the progress, and which calls are about to start. Throws what `commit` throws. */
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
    // An announced call must be on the disk before it starts.
    if (started.length > 0) await journal.sync();
  }

  /**
   * Syncs the appended records, as far as the durability asks for it, and reports them. Resolves with the messages to send now;
   * undefined if there was neither a step nor a note. Throws the system's error.
   */
  async makeTrue(): Promise<{ readonly outbox: readonly OutboxEntry[] } | undefined> {
    // Progress alone needs no sync: if a power loss takes it, effects are done again, which is idempotent.
    if (this.#appended.length === 0) return undefined;
    // From here on the steps are true.
    await this.#options.journal.sync();
    const made = this.#appended;
    this.#appended = [];
    for (const one of made) this.#report(one);
    return { outbox: made.flatMap((one) => ('commit' in one ? one.commit.outbox : [])) };
  }

  #report(made: CommittedRecord): void {
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

/** The rest of a record is kept for a record that a later step failed: the same state, with another cause. */
const STEP_BYTES_MAX = (RECORD_BYTES_MAX / 4) * 3;
/** If a step is too large for a record, a result beyond this size is blamed and replaced by an error. */
const RESULT_BYTES_MAX = RECORD_BYTES_MAX / 8;

/** The size of a message in a record without its content and data: names, ids, the signature. */
const ENVELOPE_BYTES_MAX = 2 * 1024;

export const STEP_TOO_LARGE = 'StepTooLarge';

/** How large the record of a step may be. A STOP adds nothing to the state, so it may fill a whole record. */
function stepBytesMax(cause: Cause): number {
  return cause.kind === 'stop' ? RECORD_BYTES_MAX : STEP_BYTES_MAX;
}

/** The failure of a step whose record is too large. */
function tooLarge({ bytes, bytesMax }: RecordTooLarge): ErrorFacts {
  return {
    name: STEP_TOO_LARGE,
    message:
      `the step does not fit into the journal: with its cause, its context and its messages the record has ${bytes} bytes, ` +
      `the limit is ${bytesMax}; keep what is large in files`,
  };
}

/**
 * Whether the record of a replayed step may have been too large. An estimate: the exact size depends on envelopes and signatures,
 * which a replay does not make.
 */
export function mayBeTooLarge(cause: Cause, { state, mail, actions, logs, emitted }: StepResult): boolean {
  // A message is in the record as text and as the signed file, whose quotes are escaped.
  const sent = mail.map(({ draft }) => [draft.content, JSON.stringify(draft)]);
  const bytes = Buffer.byteLength(JSON.stringify([cause, state, sent, actions, logs, emitted]));
  return bytes + mail.length * ENVELOPE_BYTES_MAX > stepBytesMax(cause);
}

/** The same cause with an error as its result; undefined if the cause is not a result, or the result is not what is too large. */
function withoutResult(cause: Cause): Cause | undefined {
  if (cause.kind !== 'result') return undefined;
  const bytes = Buffer.byteLength(JSON.stringify(cause.event));
  if (bytes <= RESULT_BYTES_MAX) return undefined;
  const message = `"${cause.src}" returned ${bytes} bytes, which do not fit into the journal with its step; the limit is ${RESULT_BYTES_MAX}: return the path of a file`;
  return { ...cause, event: errorEvent(cause.call, { name: 'ResultTooLarge', message }) };
}
