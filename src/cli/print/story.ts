import { commitLine, failedLine, noteLine, type StartedWork, type HistoryLine } from '../../history/explain.ts';
import { formatTime } from '../../message/format-time.ts';
import { visible } from '../../message/visible.ts';
import type { RecordListener } from '../../runtime/tree.ts';
import type { WorkflowState } from '../../step/workflow-state.ts';
import type { Call } from '../command.ts';
import { formatDuration } from '../option-values.ts';
import { preview, shortId } from './mail.ts';

/** A longer cause shifts only its own line to the right. */
const CAUSE_COLUMNS_MAX = 72;
const OUTCOME_CHARS_MAX = 500;

/** The widths of the columns, in characters. */
export interface StoryColumns {
  readonly number: number;
  readonly cause: number;
}

/** For lines printed as they happen, without step numbers. */
const COLUMNS_LIVE: StoryColumns = { number: 0, cause: 44 };

/** The widths that these lines need. */
export function storyColumns(lines: readonly HistoryLine[]): StoryColumns {
  const widest = (widthOf: (line: HistoryLine) => number): number =>
    lines.reduce((most, line) => Math.max(most, widthOf(line)), 0);
  return {
    number: widest((line) => numberText(line).length),
    cause: Math.min(
      widest((line) => causeText(line).length),
      CAUSE_COLUMNS_MAX,
    ),
  };
}

/** One entry of a workflow's history as text: a line, then indented lines for the outcome of its cause, the work it started, and each message it sent. */
export function formatStory(
  line: HistoryLine,
  { address, columns = COLUMNS_LIVE }: { address?: string | undefined; columns?: StoryColumns } = {},
): string {
  const { at, sent, started = [], givenUp = [] } = line;
  const time = formatTime(at);
  const number = columns.number > 0 ? `${numberText(line).padEnd(columns.number)}  ` : '';
  const who = address === undefined ? '' : `${address}  `;
  const head = `${number}${time}  ${who}${causeText(line).padEnd(columns.cause)}  ${visible(verdictText(line))}`;
  const below = [
    endedText(line),
    ...givenUp.map((work) => `ended ${workText(work)}, started ${formatTime(work.startedAt)}: no longer needed`),
    ...started.map((work) => `started ${workText(work)}`),
    ...sent.map(
      ({ id, type, to, content }) =>
        `→ ${visible(to.join(', '))} ${visible(type)} (${shortId(id)}) ${preview(content)}`,
    ),
  ];
  const indent = ' '.repeat(number.length + time.length + 2);
  return [head, ...below.filter((text) => text !== undefined).map((text) => indent + text)]
    .map((text) => `${text.trimEnd()}\n`)
    .join('');
}

function numberText({ step }: HistoryLine): string {
  return step === undefined ? '-' : `#${step}`;
}

function causeText({ mail, cause, effectId }: HistoryLine): string {
  const source = mail ? ` from ${mail.from} (${shortId(mail.id)})` : effectId === undefined ? '' : ` (${effectId})`;
  return visible(`${cause}${source}`);
}

function workText({ kind, src, effectId }: StartedWork): string {
  return visible(`${kind} ${src} (${effectId})`);
}

function endedText({ at, outcome, startedAt }: HistoryLine): string | undefined {
  const lasted = startedAt === undefined ? undefined : `took ${formatDuration(at - startedAt)}`;
  const told = [outcome === undefined ? undefined : preview(outcome, OUTCOME_CHARS_MAX), lasted];
  return told.some((text) => text !== undefined) ? told.filter((text) => text !== undefined).join(', ') : undefined;
}

function verdictText({ verdict, from, to, detail }: HistoryLine): string {
  switch (verdict) {
    case 'opened':
      return detail ?? '';
    case 'taken':
      return from === undefined ? `→ ${to ?? ''}` : from === to ? `stays in ${to ?? ''}` : `${from} → ${to ?? ''}`;
    case 'unhandled':
      return `unhandled in ${to ?? ''}`;
    case 'failed':
      return from === to
        ? `the step failed, still in ${to ?? ''}: ${detail ?? ''}`
        : `the step failed → ${to ?? ''}: ${detail ?? ''}`;
    case 'FAILED':
      return `${to ?? ''}: ${detail ?? ''}`;
    case 'late':
      return `too late: ${detail ?? ''}`;
    case 'refused':
      return `dead letter, ${detail ?? ''}`;
    default:
      return `never verified, ${detail ?? ''}`;
  }
}

/** Prints every record of a running workflow on stderr, once it is committed. */
export function createTeller(
  { output }: Pick<Call, 'output'>,
  { address, state }: { address: string; state: WorkflowState | undefined },
): RecordListener {
  const before = new Map<string, WorkflowState>();
  if (state) before.set(address, state);
  return (who, record) => {
    const last = before.get(who);
    const line = lineOf(record, last);
    if ('commit' in record) before.set(who, record.commit.state);
    if ('failed' in record && last) before.set(who, { ...last, failed: record.failed });
    void output.talk(formatStory(line, { address: who === address ? undefined : who }));
  };
}

function lineOf(record: Parameters<RecordListener>[1], before: WorkflowState | undefined): HistoryLine {
  if ('commit' in record) return commitLine(record.seq, record.commit, before);
  return 'failed' in record ? failedLine(record.seq, record.failed, before) : noteLine(record.seq, record.note);
}
