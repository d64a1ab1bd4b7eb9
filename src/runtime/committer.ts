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
      const advanced = during(context, address, { on: stepText(cause), work: () => stepWorkflow(step) });
      await this.#append(step, advanced, stepBytesMax(cause));
    } catch (error) {
      if (!(error instanceof RecordTooLarge)) throw error;
      const withError = withoutResult(cause);
      if (withError) await this.commit(withError);
      else await this.#fail(step, tooLarge(error));
    }
  }

  /** Appends that the step failed. Where its message is so large that not even that fits, the record only names the message. */
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

/** The rest of a record is for what says that a later step failed: the same state, with another cause. */
const STEP_BYTES_MAX = (RECORD_BYTES_MAX / 4) * 3;
/** A result beyond this is the fault of what returned it, where its step fits into no record. */
const RESULT_BYTES_MAX = RECORD_BYTES_MAX / 8;

/** What a message has in the record besides what it says: names, ids, the signature. */
const ENVELOPE_BYTES_MAX = 2 * 1024;

export const STEP_TOO_LARGE = 'StepTooLarge';

/** How large the record of a step may be. A STOP keeps what is there, so it may always have all. */
function stepBytesMax(cause: Cause): number {
  return cause.kind === 'stop' ? RECORD_BYTES_MAX : STEP_BYTES_MAX;
}

/** Why a step fails whose record is too large. */
function tooLarge({ bytes, bytesMax }: RecordTooLarge): ErrorFacts {
  return {
    name: STEP_TOO_LARGE,
    message:
      `the step does not fit into the journal: with its cause, its context and its messages the record has ${bytes} bytes, ` +
      `the limit is ${bytesMax}; keep what is large in files`,
  };
}

/**
 * Whether a step that is taken again may be one whose record was too large: without its envelopes and signatures nobody can
 * tell to the byte.
 */
export function mayBeTooLarge(cause: Cause, { state, mail, actions, logs, emitted }: StepResult): boolean {
  // What is sent stands there as text and in the signed message, whose quotes are escaped.
  const sent = mail.map(({ draft }) => [draft.content, JSON.stringify(draft)]);
  const bytes = Buffer.byteLength(JSON.stringify([cause, state, sent, actions, logs, emitted]));
  return bytes + mail.length * ENVELOPE_BYTES_MAX > stepBytesMax(cause);
}

/** The same cause with an error as its result; undefined where what it carries is no result, or not what is too large. */
function withoutResult(cause: Cause): Cause | undefined {
  if (cause.kind !== 'result') return undefined;
  const bytes = Buffer.byteLength(JSON.stringify(cause.event));
  if (bytes <= RESULT_BYTES_MAX) return undefined;
  const message = `"${cause.src}" returned ${bytes} bytes, which do not fit into the journal with its step; the limit is ${RESULT_BYTES_MAX}: return the path of a file`;
  return { ...cause, event: errorEvent(cause.call, { name: 'ResultTooLarge', message }) };
}
