import { type CauseAndMail, describeFailure, whereabouts, causeText } from '../journal/describe.ts';
import type { CommandResult } from '../jobs/job.ts';
import type { Cause, MailFacts } from '../step/cause.ts';
import { errorFacts } from '../errors.ts';
import type { WorkflowCall, WorkflowState } from '../step/workflow-state.ts';
import { listDead } from '../mailbox/dead.ts';
import { cut } from '../message/cut.ts';
import { mailboxOf, type RoomContext } from '../room/context.ts';
import type { CommitRecord, FailedRecord, NoteRecord } from '../journal/record.ts';
import { readJournal, type JournalEntry } from '../journal/read.ts';

/** How much of an activity's output is shown; the journal has all of it. */
const OUTPUT_CHARS_MAX = 500;

/** One event in the history of a workflow, and what it changed. */
export interface HistoryLine {
  /** The seq of the journal record; undefined for mail that was never verified, which is not in the journal. */
  readonly seq: number | undefined;
  /** Its number in the history, from 1; records that show nothing are not counted. Undefined for unverified mail, and in live output. */
  readonly step?: number;
  /** Ms since the epoch. */
  readonly at: number;
  readonly cause: string;
  /** The message that caused it; the sender is verified. */
  readonly mail?: MailFacts;
  /** The effect id of the activity or command whose result it is. */
  readonly effectId?: string;
  /**
   * `taken`: a transition was taken. `failed`: the step threw, and the workflow continued or ended. `FAILED`: the step threw and
   * blocks the workflow. The others changed nothing.
   */
  readonly verdict: 'opened' | 'taken' | 'unhandled' | 'failed' | 'FAILED' | 'refused' | 'late' | 'not believed';
  readonly from?: string;
  readonly to?: string;
  readonly detail?: string;
  /** How an activity, a command or a child ended; why a message is undeliverable. */
  readonly outcome?: string;
  /** When the call that now ended or was answered was started, in ms since the epoch. */
  readonly startedAt?: number;
  /** The activities and commands that it started (`started`), and those that it ended because they are no longer awaited (`givenUp`). */
  readonly started?: readonly StartedWork[];
  readonly givenUp?: readonly StartedWork[];
  /** How many log entries and actions it had; what they logged, and whether the actions failed, is only in the log. */
  readonly logged?: number;
  readonly actions?: number;
  /** The messages that it sent. */
  readonly sent: readonly {
    readonly id: string;
    readonly type: string;
    readonly to: readonly string[];
    readonly content: string;
  }[];
}

/** An activity or command that a step started. */
export interface StartedWork {
  readonly kind: 'activity' | 'command';
  readonly src: string;
  readonly effectId: string;
  /** Ms since the epoch. */
  readonly startedAt: number;
}

/** The history of a workflow, oldest first; undefined if there is no such workflow. Throws what `readJournal` throws. */
export function explainWorkflow(context: RoomContext, address: string): HistoryLine[] | undefined {
  const lines: HistoryLine[] = [];
  let before: WorkflowState | undefined;
  const isThere = readJournal(context, address, (entry) => {
    const line = lineOf(entry, before);
    if (line) lines.push({ ...line, step: lines.length + 1 });
    if ('commit' in entry) before = entry.commit.state;
    if ('failed' in entry && before) before = { ...before, failed: entry.failed };
  });
  return isThere ? [...lines, ...refusedMail(context, address)] : undefined;
}

function lineOf(entry: JournalEntry, before: WorkflowState | undefined): HistoryLine | undefined {
  const { seq } = entry;
  if ('open' in entry) {
    const { at, process, machine } = entry.open;
    return {
      seq,
      at,
      cause: `opened by process ${process.pid}`,
      verdict: 'opened',
      detail: `machine ${machine.id} ${machine.hash}`,
      sent: [],
    };
  }
  if ('failed' in entry) return failedLine(seq, entry.failed, before);
  if ('note' in entry) return noteLine(seq, entry.note);
  return 'commit' in entry ? commitLine(seq, entry.commit, before) : undefined;
}

/** The history line of a note. */
export function noteLine(seq: number, { at, mail, verdict, reason, detail }: NoteRecord): HistoryLine {
  const why = reason === undefined ? detail : `${reason}: ${detail}`;
  return { seq, at, cause: mail.type, mail, verdict, detail: why, sent: [] };
}

/** The history line of a commit; `before` is the state until then. */
export function commitLine(seq: number, commit: CommitRecord, before: WorkflowState | undefined): HistoryLine {
  const { at, cause, verdict, failure, state, outbox, logs, actions } = commit;
  const call = 'call' in cause && cause.call !== undefined ? before?.calls[cause.call] : undefined;
  const started = workOnlyIn(state, before);
  const givenUp = workOnlyIn(before, state).filter(({ effectId }) => effectId !== call?.effectId);
  return {
    seq,
    at,
    ...causeParts(commit),
    verdict: verdict === 'stepped' ? 'taken' : verdict,
    ...(before === undefined || cause.kind === 'start' ? {} : { from: whereabouts(before) }),
    to: whereabouts(state),
    ...(failure ? { detail: describeFailure(failure) } : {}),
    ...(call ? { startedAt: call.since } : {}),
    ...(started.length > 0 ? { started } : {}),
    ...(givenUp.length > 0 ? { givenUp } : {}),
    ...(logs.length > 0 ? { logged: logs.length } : {}),
    ...(actions.length > 0 ? { actions: actions.length } : {}),
    sent: outbox.map(({ id, type, to, content }) => ({ id, type, to, content })),
  };
}

/** The history line of a step that blocks its workflow. */
export function failedLine(seq: number, failed: FailedRecord, before: WorkflowState | undefined): HistoryLine {
  const { at, failure } = failed;
  const to = before ? { from: whereabouts(before), to: whereabouts({ ...before, failed }) } : {};
  const detail = describeFailure(failure);
  return { seq, at, ...causeParts({ ...failed, outbox: [] }), verdict: 'FAILED', ...to, detail, sent: [] };
}

/** The activities and commands of one state that the other state does not have. */
function workOnlyIn(state: WorkflowState | undefined, other: WorkflowState | undefined): StartedWork[] {
  const others = new Set(Object.values(other?.calls ?? {}).map(({ effectId }) => effectId));
  return Object.values(state?.calls ?? {})
    .filter((call): call is WorkflowCall & StartedWork => call.kind === 'activity' || call.kind === 'command')
    .filter(({ effectId }) => !others.has(effectId))
    .map(({ kind, src, effectId, since }) => ({ kind, src, effectId, startedAt: since }));
}

function causeParts(step: CauseAndMail): Pick<HistoryLine, 'cause' | 'mail' | 'effectId' | 'outcome'> {
  const { cause } = step;
  const outcome = outcomeOf(cause);
  return {
    cause: causeText(step),
    ...('mail' in cause && cause.mail ? { mail: cause.mail } : {}),
    ...('effectId' in cause ? { effectId: cause.effectId } : {}),
    ...(outcome === undefined ? {} : { outcome }),
  };
}

/** The outcome that the machine got; undefined if there is nothing to add. */
function outcomeOf(cause: Cause): string | undefined {
  if (!('event' in cause) || !cause.event || !REPORTED_BY_MAILROOM.has(cause.kind)) return undefined;
  const { error, output, reason } = cause.event;
  if (cause.kind === 'undelivered' && typeof reason === 'string') return reason;
  if (error !== undefined) {
    const { name, message } = errorFacts(error);
    return name === 'Error' && message !== '' ? message : [name, message].filter(Boolean).join(': ');
  }
  if (cause.kind !== 'result') return undefined;
  if (isCommandResult(output)) return exitText(output);
  return output === undefined || output === null
    ? undefined
    : `returned ${cut(JSON.stringify(output), { charsMax: OUTPUT_CHARS_MAX })}`;
}

/** Causes whose event Mailroom made; other events come from the machine or from other actors. */
const REPORTED_BY_MAILROOM: ReadonlySet<Cause['kind']> = new Set(['result', 'answer', 'ended', 'undelivered']);

/** Recognised by its shape, because the record does not say which kind of call a result is of. */
function isCommandResult(output: unknown): output is CommandResult {
  if (typeof output !== 'object' || output === null) return false;
  const { exitCode, signal, timedOut, stdout, durationMs } = output as Readonly<Record<string, unknown>>;
  const hasEnded = typeof exitCode === 'number' || typeof signal === 'string';
  return hasEnded && typeof timedOut === 'boolean' && typeof stdout === 'string' && typeof durationMs === 'number';
}

function exitText({ exitCode, signal, timedOut }: CommandResult): string {
  if (timedOut) return 'timed out';
  return signal === null ? `exit code ${exitCode}` : `ended by ${signal}`;
}

/** Refused mail: its signature could not be verified, so it is not in the journal. */
function refusedMail(context: RoomContext, address: string): HistoryLine[] {
  const mailbox = mailboxOf(context, address);
  if (!mailbox) return [];
  return listDead(mailbox)
    .filter(({ verified }) => !verified)
    .map(({ name, reason, detail, at }) => ({
      seq: undefined,
      at: Date.parse(at) || 0,
      cause: name,
      verdict: 'not believed',
      detail: `${reason}: ${detail}`,
      sent: [],
    }));
}
