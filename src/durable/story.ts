import type { CommandResult } from '../jobs/job.ts';
import type { Cause, MailFacts } from '../machine/cause.ts';
import { errorFacts } from '../machine/plain-facts.ts';
import type { Failed } from '../machine/workflow-state.ts';
import { listDead } from '../mailbox/dead.ts';
import { mailboxOf, type RoomContext } from '../room/context.ts';
import { describeFailure, FAILED_MARK, whereabouts } from './describe-state.ts';
import type { CommitRecord, FailedRecord, NoteRecord } from './journal-record.ts';
import { readJournal, type JournalEntry } from './read-journal.ts';
import { timerName } from './waiting-for.ts';

/** One thing that happened to a workflow, and what it did to it. */
export interface StoryLine {
  /** The record of the journal; undefined for what was never believed and is no part of it. */
  readonly seq: number | undefined;
  /** Ms since the epoch. */
  readonly at: number;
  readonly cause: string;
  /** The message that it was, and who verifiably sent it. */
  readonly mail?: MailFacts;
  /** The timer or effect id behind it. */
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
  /** What it said because of it. */
  readonly sent: readonly {
    readonly id: string;
    readonly type: string;
    readonly to: readonly string[];
    readonly content: string;
  }[];
}

/** How a workflow came to where it is, oldest first; undefined when there is no such workflow. Throws as `readJournal`. */
export function storyOf(context: RoomContext, address: string): StoryLine[] | undefined {
  const lines: StoryLine[] = [];
  let before: string | undefined;
  const isThere = readJournal(context, address, (entry) => {
    const line = lineOf(entry, before);
    if (line) lines.push(line);
    if ('commit' in entry) before = whereabouts(entry.commit.state);
    if ('failed' in entry) before = whereaboutsFailed(before);
  });
  return isThere ? [...lines, ...neverBelieved(context, address)] : undefined;
}

function lineOf(entry: JournalEntry, before: string | undefined): StoryLine | undefined {
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

/** What a commit is in the story of its workflow; `before` is where it was until then. */
export function commitLine(seq: number, commit: CommitRecord, before: string | undefined): StoryLine {
  const { at, cause, verdict, failure, state, outbox } = commit;
  return {
    seq,
    at,
    ...causeParts(cause),
    verdict: verdict === 'stepped' ? 'taken' : verdict,
    ...(before === undefined || cause.kind === 'start' ? {} : { from: before }),
    to: whereabouts(state),
    ...(failure ? { detail: describeFailure(failure) } : {}),
    sent: outbox.map(({ id, type, to, content }) => ({ id, type, to, content })),
  };
}

/** What a step that a workflow cannot get past is in its story. */
export function failedLine(seq: number, { at, cause, failure }: FailedRecord, before: string | undefined): StoryLine {
  const to = whereaboutsFailed(before);
  const from = before === undefined ? {} : { from: before };
  return { seq, at, ...causeParts(cause), verdict: 'FAILED', ...from, to, detail: describeFailure(failure), sent: [] };
}

/** Which step a FAILED workflow cannot get past, and why. */
export function describeFailed({ cause, failure }: Failed): string {
  return `FAILED at ${causeText(cause)}: ${describeFailure(failure)}`;
}

/** Where it is when a step fails there for the first time, or once more. */
export function whereaboutsFailed(before = ''): string {
  return before.endsWith(FAILED_MARK) ? before : `${before}${FAILED_MARK}`;
}

function causeParts(cause: Cause): Pick<StoryLine, 'cause' | 'mail' | 'effectId' | 'outcome'> {
  const outcome = outcomeOf(cause);
  return {
    cause: causeText(cause),
    ...('mail' in cause && cause.mail ? { mail: cause.mail } : {}),
    ...('effectId' in cause ? { effectId: cause.effectId } : {}),
    ...(outcome === undefined ? {} : { outcome }),
  };
}

function causeText(cause: Cause): string {
  switch (cause.kind) {
    case 'start':
      return cause.parent ? `started by ${cause.parent.address}` : 'started';
    case 'message':
      return cause.event.type === cause.mail.type ? cause.mail.type : `${cause.event.type} (event)`;
    case 'answer':
      return `answer to ${cause.call}: ${cause.mail.type}`;
    case 'ended':
      return `child ${cause.call} ended`;
    case 'relay':
      return `${cause.relayed.type} (event) for ${cause.to}`;
    case 'stop':
      return cause.mail ? 'STOP' : 'given up';
    case 'timer':
      return `timer ${timerName(cause.timer)}`;
    case 'result': {
      const outcome = cause.event.type.startsWith('xstate.error') ? 'failed' : 'done';
      return `${cause.src} ${outcome}`;
    }
    default:
      return `undeliverable to ${cause.to}`;
  }
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
  return cause.kind === 'result' && isCommandResult(output) ? exitText(output) : undefined;
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
