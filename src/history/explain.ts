import { type CauseAndMail, describeFailure, whereabouts, causeText } from '../journal/describe.ts';
import type { CommandResult } from '../jobs/job.ts';
import type { Cause, MailFacts } from '../step/cause.ts';
import { errorFacts } from '../workflow/plain-facts.ts';
import type { WorkflowCall, WorkflowState } from '../step/workflow-state.ts';
import { listDead } from '../mailbox/dead.ts';
import { cut } from '../message/cut.ts';
import { mailboxOf, type RoomContext } from '../room/context.ts';
import type { CommitRecord, FailedRecord, NoteRecord } from '../journal/record.ts';
import { readJournal, type JournalEntry } from '../journal/read.ts';

/** Of what an activity returned; all of it is in the journal. */
const OUTPUT_CHARS_MAX = 500;

/** One thing that happened to a workflow, and what it did to it. */
export interface StoryLine {
  /** The record of the journal; undefined for what was never believed and is no part of it. */
  readonly seq: number | undefined;
  /** Its place in the story, from 1: the journal has records that tell nothing. Undefined for what is no part of it, and while it happens. */
  readonly step?: number;
  /** Ms since the epoch. */
  readonly at: number;
  readonly cause: string;
  /** The message that it was, and who verifiably sent it. */
  readonly mail?: MailFacts;
  /** The effect id of the activity or command that it is the result of. */
  readonly effectId?: string;
  /**
   * `taken`: it changed the state or was handled there. `failed`: the step threw, and the workflow went on or ended; `FAILED`: it
   * could do neither. The rest changed nothing.
   */
  readonly verdict: 'opened' | 'taken' | 'unhandled' | 'failed' | 'FAILED' | 'refused' | 'late' | 'not believed';
  readonly from?: string;
  readonly to?: string;
  readonly detail?: string;
  /** How an activity, a command or a child ended; why a message is undeliverable. */
  readonly outcome?: string;
  /** When what has ended or was answered was started; ms since the epoch. */
  readonly startedAt?: number;
  /** The activities and commands that it started, and those that it ended because nobody waits for them any more. */
  readonly started?: readonly StartedWork[];
  readonly givenUp?: readonly StartedWork[];
  /** How much of it is told by the log only: what it logged, and actions, which may have failed. */
  readonly logged?: number;
  readonly actions?: number;
  /** What it said because of it. */
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

/** How a workflow came to where it is, oldest first; undefined when there is no such workflow. Throws as `readJournal`. */
export function storyOf(context: RoomContext, address: string): StoryLine[] | undefined {
  const lines: StoryLine[] = [];
  let before: WorkflowState | undefined;
  const isThere = readJournal(context, address, (entry) => {
    const line = lineOf(entry, before);
    if (line) lines.push({ ...line, step: lines.length + 1 });
    if ('commit' in entry) before = entry.commit.state;
    if ('failed' in entry && before) before = { ...before, failed: entry.failed };
  });
  return isThere ? [...lines, ...neverBelieved(context, address)] : undefined;
}

function lineOf(entry: JournalEntry, before: WorkflowState | undefined): StoryLine | undefined {
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

/** What a note is in the story of its workflow. */
export function noteLine(seq: number, { at, mail, verdict, reason, detail }: NoteRecord): StoryLine {
  const why = reason === undefined ? detail : `${reason}: ${detail}`;
  return { seq, at, cause: mail.type, mail, verdict, detail: why, sent: [] };
}

/** What a commit is in the story of its workflow; `before` is the state until then. */
export function commitLine(seq: number, commit: CommitRecord, before: WorkflowState | undefined): StoryLine {
  const { at, cause, verdict, failure, state, outbox, logs, actions } = commit;
  const call = 'call' in cause && cause.call !== undefined ? before?.calls[cause.call] : undefined;
  const started = workBeside(state, before);
  const givenUp = workBeside(before, state).filter(({ effectId }) => effectId !== call?.effectId);
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

/** What a step that a workflow cannot get past is in its story. */
export function failedLine(seq: number, failed: FailedRecord, before: WorkflowState | undefined): StoryLine {
  const { at, failure } = failed;
  const to = before ? { from: whereabouts(before), to: whereabouts({ ...before, failed }) } : {};
  const detail = describeFailure(failure);
  return { seq, at, ...causeParts({ ...failed, outbox: [] }), verdict: 'FAILED', ...to, detail, sent: [] };
}

/** The activities and commands of one state that the other has not. */
function workBeside(state: WorkflowState | undefined, other: WorkflowState | undefined): StartedWork[] {
  const others = new Set(Object.values(other?.calls ?? {}).map(({ effectId }) => effectId));
  return Object.values(state?.calls ?? {})
    .filter((call): call is WorkflowCall & StartedWork => call.kind === 'activity' || call.kind === 'command')
    .filter(({ effectId }) => !others.has(effectId))
    .map(({ kind, src, effectId, since }) => ({ kind, src, effectId, startedAt: since }));
}

function causeParts(step: CauseAndMail): Pick<StoryLine, 'cause' | 'mail' | 'effectId' | 'outcome'> {
  const { cause } = step;
  const outcome = outcomeOf(cause);
  return {
    cause: causeText(step),
    ...('mail' in cause && cause.mail ? { mail: cause.mail } : {}),
    ...('effectId' in cause ? { effectId: cause.effectId } : {}),
    ...(outcome === undefined ? {} : { outcome }),
  };
}

/** As the machine is told it; undefined where there is nothing to add. */
function outcomeOf(cause: Cause): string | undefined {
  if (!('event' in cause) || !cause.event || !TOLD_BY_MAILROOM.has(cause.kind)) return undefined;
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

/** What the other events carry is the machine's own, or others'. */
const TOLD_BY_MAILROOM: ReadonlySet<Cause['kind']> = new Set(['result', 'answer', 'ended', 'undelivered']);

/** Told by its form: what a cause was called for is not in the record. */
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

/** What lies among the refused: it had no signature that could be believed, so it is no part of the journal. */
function neverBelieved(context: RoomContext, address: string): StoryLine[] {
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
