import { cut } from '../message/cut.ts';
import { dataJson, exactDataOf } from '../message/exact-data.ts';
import type { Message } from '../message/message.ts';
import { visible, visibleJsonText, visibleLines } from '../message/visible.ts';
import { formatDuration } from './duration.ts';

const SHORT_ID_CHARS = 8;
const PREVIEW_CHARS_MAX = 72;
/** Of an id it shows the whole. */
const THREAD_CHARS_MAX = 37;

/** The last characters of an id: enough to name a message, few enough to type. */
export function shortId(id: string): string {
  return id.slice(-SHORT_ID_CHARS);
}

/** A message for programs, its data exact. Only verified messages are ever shown, and it says so. */
export function messageJson(message: Message): Message & { readonly verified: true } {
  const data = exactDataOf(message);
  return { ...message, ...(data && { data }), verified: true };
}

/** What came with a message beside its text, on one line: sender, type, age, id and whatever else was said. */
export function headerLine(message: Message, { nowMs, attempt = 1 }: { nowMs: number; attempt?: number }): string {
  const { from, to, type, id, sentAt, threadId, replyTo, needsAck, expiresAt } = message;
  const parts = [
    `From ${from}`,
    type,
    `${formatDuration(nowMs - Date.parse(sentAt))} ago`,
    `id ${shortId(id)}`,
    to[0] === 'all' && 'to all',
    replyTo !== undefined && `answers ${shortId(replyTo)}`,
    threadId !== undefined && threadId !== replyTo && `thread ${cut(threadId, { charsMax: THREAD_CHARS_MAX })}`,
    needsAck === true && 'wants an acknowledgement',
    expiresAt !== undefined && `expires in ${formatDuration(Date.parse(expiresAt) - nowMs)}`,
    attempt > 1 && `attempt ${attempt}`,
  ];
  return visible(parts.filter((part) => part !== false).join('  '));
}

/** The whole message for a reader. */
export function messageText(message: Message, options: { nowMs: number; attempt?: number }): string {
  return `${headerLine(message, options)}\n${dataLine(message)}${indentedContent(message)}\n`;
}

/** Nothing, for a message without data. */
export function dataLine(message: Message): string {
  return message.data === undefined ? '' : `Data ${visibleJsonText(dataJson(message))}\n`;
}

/** The text, indented, so that nothing in it looks like the header of another message. */
export function indentedContent({ content }: Message): string {
  const body = content.replace(/\n+$/, '');
  if (body === '') return '';
  const lines = visibleLines(body).split('\n');
  return lines.map((line) => (line === '' ? '\n' : `  ${line}\n`)).join('');
}

/** Who sent a message, and nothing that the sender could choose freely. */
export function headersJson({ id, from, type }: Message): object {
  return { id, from, type, verified: true };
}

/** The beginning of the text on one line; all of it where `charsMax` is Infinity. */
export function preview(content: string, charsMax = PREVIEW_CHARS_MAX): string {
  const line = visible(content.trim().replace(/\s+/g, ' '));
  return cut(line, { charsMax });
}

/** Rows under each other, the last column as long as it likes. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}
