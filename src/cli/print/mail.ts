import { InvalidInput } from '../../errors.ts';
import { cut, cutToBytes, echo } from '../../message/cut.ts';
import { dataJson, exactDataOf, jsonWithTexts } from '../../message/exact-data.ts';
import { formatTime } from '../../message/format-time.ts';
import type { Message } from '../../message/message.ts';
import { isPlain, visible, visibleJsonText, visibleLines } from '../../message/visible.ts';
import type { Mail } from '../../room/mail.ts';
import { type Arguments, textOption } from '../arguments.ts';
import type { OptionSpec } from '../command-spec.ts';
import type { Call } from '../command.ts';
import { EXIT_FAILURE, EXIT_OK } from '../exit-code.ts';
import { formatDuration } from '../option-values.ts';
import { OutputClosed } from '../output.ts';

/** A message as it will be printed. */
export interface Printed {
  readonly message: Message;
  /** The claim on the message; undefined if it was acknowledged before. */
  readonly mail: Mail | undefined;
  readonly fitted: Fitted<string | object>;
  /** Whether it stays held after it was printed. */
  readonly isHeld: boolean;
  /** Whether this command has claimed it. */
  readonly isOwn: boolean;
}

/** The printed form of a message, in at most `bytesMax` bytes. */
export function fit(
  call: Call,
  { message, mail, bytesMax }: Pick<Printed, 'message' | 'mail'> & { bytesMax: number },
): Printed['fitted'] {
  if (call.isJson) {
    const lease = mail ? { attempt: mail.attempt, leaseEndsAt: new Date(mail.leaseEndsAtMs).toISOString() } : {};
    return fittedJson(message, lease, bytesMax);
  }
  const rest = call.pasteable(wholeCommand(call, message));
  return fittedText(message, { nowMs: call.host.clock.now(), attempt: mail?.attempt ?? 1, bytesMax, rest });
}

/** The command that prints all of a message that was printed in part. */
function wholeCommand({ args }: Call, { id }: Message): string {
  return `mailroom read ${shortId(id)} --all${args.options.has('hold') ? ' --hold' : ''}`;
}

/**
 * Prints messages and acknowledges each one whose text the reader of the output has taken, unless it is held or printed in
 * part. Messages that were not taken are released, so that they wait again. Throws the first error of a claim after all are
 * printed.
 */
export async function printMail(call: Call, mails: readonly Printed[]): Promise<number> {
  // A JSON array can only be printed as a whole.
  const batches = call.isJson ? [mails] : mails.map((one) => [one]);
  const left = new Set(mails);
  const errors: unknown[] = [];
  try {
    for (const batch of batches) {
      if (call.isJson) await call.output.json(batch.map(({ fitted }) => fitted.shown));
      else for (const { fitted } of batch) await call.output.data(fitted.shown as string);
      for (const one of batch) {
        left.delete(one);
        errors.push(...(await settle(one)));
      }
    }
  } catch (error) {
    for (const { mail, isOwn } of left) if (isOwn) await mail?.putBack().catch((one) => errors.push(one));
    for (const one of errors) await tell(call, one);
    if (!(error instanceof OutputClosed)) throw error;
    await call.output.talk(
      `The output was closed; ${left.size} of ${mails.length} messages were not printed and wait again.\n`,
    );
    return left.size > 0 ? EXIT_FAILURE : EXIT_OK;
  }
  await tellCut(call, mails);
  await tellHeld(call, mails);
  for (const one of errors.slice(1)) await tell(call, one);
  if (errors.length > 0) throw errors[0];
  return EXIT_OK;
}

/** Settles the claim of a printed message. Returns its error, if there was one. */
async function settle({ mail, fitted, isHeld, isOwn }: Printed): Promise<unknown[]> {
  try {
    if (fitted.isCut) {
      if (isOwn) await mail?.keepInPart();
    } else if (!isHeld) await mail?.ack();
    return [];
  } catch (error) {
    return [error];
  }
}

async function tell({ output }: Call, error: unknown): Promise<void> {
  await output.talk(`mailroom: ${visible(error instanceof Error ? error.message : String(error))}\n`);
}

/** Says how to get the rest of a cut message in JSON; as text it says so itself. */
async function tellCut(call: Call, mails: readonly Printed[]): Promise<void> {
  for (const { message, fitted } of call.isJson ? mails : []) {
    if (!fitted.isCut) continue;
    await call.output.advise(`${shortId(message.id)} is printed in part. All of it: ${wholeCommand(call, message)}\n`);
  }
}

async function tellHeld({ isJson, output }: Call, mails: readonly Printed[]): Promise<void> {
  const held = mails.filter(({ mail, fitted, isHeld }) => mail !== undefined && isHeld && !fitted.isCut);
  if (held.length === 0 || isJson) return;
  const until = Math.min(...held.map(({ mail }) => mail?.leaseEndsAtMs ?? Infinity));
  const ids = held.map(({ message }) => shortId(message.id)).join(' ');
  await output.advise(`Held until ${formatTime(until)}. Once handled: mailroom ack ${ids}\n`);
}

const SHORT_ID_CHARS = 8;
const PREVIEW_CHARS_MAX = 72;
/** Enough for a whole id. */
const THREAD_CHARS_MAX = 37;

/** The last characters of an id: enough to name a message, few enough to type. */
export function shortId(id: string): string {
  return id.slice(-SHORT_ID_CHARS);
}

/** A message for programs, with exact data. Says that it is verified: only verified messages are ever shown. */
function messageJson(message: Message): Message & { readonly verified: true } {
  const data = exactDataOf(message);
  return { ...message, ...(data && { data }), verified: true };
}

/** The facts of a message besides its text, on one line: sender, type, age, id and the optional ones. */
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

/** The whole message as text. */
function messageText(message: Message, options: { nowMs: number; attempt?: number }): string {
  return `${headerLine(message, options)}\n${dataLine(message)}${indentedContent(message)}\n`;
}

/** Empty for a message without data. */
function dataLine(message: Message): string {
  return message.data === undefined ? '' : `Data ${visibleJsonText(dataJson(message))}\n`;
}

/** The text, indented so that nothing in it looks like the header of another message. */
function indentedContent({ content }: Message): string {
  const body = content.replace(/\n+$/, '');
  if (body === '') return '';
  const lines = visibleLines(body).split('\n');
  return lines.map((line) => (line === '' ? '\n' : `  ${line}\n`)).join('');
}

/** Facts of a message that hold nothing that the sender could choose freely. */
export function headersJson({ id, from, type }: Message): object {
  return { id, from, type, verified: true };
}

/** The beginning of the text on one line; all of it if `charsMax` is Infinity. */
export function preview(content: string, charsMax = PREVIEW_CHARS_MAX): string {
  return cut(visible(onOneLine(content.trim())), { charsMax });
}

/** Most texts have no blanks but single spaces, and need no expression to be compiled for them. */
function onOneLine(text: string): string {
  return isPlain(text) && !text.includes('  ') ? text : text.replace(/\s+/g, ' ');
}

/** Aligns rows in columns; the last column may have any width. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

/** Default for the mail that one command prints: what a model can take at once. */
const BYTES_MAX_DEFAULT = 32 * 1024;
/** Room for the facts of a message besides its text. */
const BYTES_MAX_LEAST = 1024;
const BYTES_MAX_MOST = 1_000_000_000;

export const MAX_BYTES_OPTION: OptionSpec = {
  name: 'max-bytes',
  value: 'count',
  summary: `most bytes to print; default ${BYTES_MAX_DEFAULT}`,
};

/** The value of --max-bytes. Throws `InvalidInput`. */
export function maxBytesOf(args: Arguments): number {
  const text = textOption(args, MAX_BYTES_OPTION.name);
  if (text === undefined) return BYTES_MAX_DEFAULT;
  const bytes = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (bytes >= BYTES_MAX_LEAST && bytes <= BYTES_MAX_MOST) return bytes;
  throw new InvalidInput(
    `--max-bytes is ${echo(text)}: expected a whole number from ${BYTES_MAX_LEAST} to ${BYTES_MAX_MOST}.`,
  );
}

/** The printed form of a message, whole or in part. */
export interface Fitted<T> {
  readonly shown: T;
  /** The size of `shown`. */
  readonly bytes: number;
  readonly isCut: boolean;
}

/**
 * The message as text, in at most `bytesMax` bytes. A larger message is cut to its header, its data if they take no more
 * than half of the space, the beginning of its text, and `rest`, the command that prints all of it.
 */
export function fittedText(
  message: Message,
  options: { nowMs: number; attempt: number; bytesMax: number; rest: string },
): Fitted<string> {
  const whole = messageText(message, options);
  const bytes = Buffer.byteLength(whole);
  if (bytes <= options.bytesMax) return { shown: whole, bytes, isCut: false };
  const header = `${headerLine(message, options)}\n`;
  const note = `Only a part of ${bytes} bytes is shown. All of it: ${options.rest}\n\n`;
  const left = options.bytesMax - Buffer.byteLength(header + note);
  const data = dataLine(message);
  const dataBytes = Buffer.byteLength(data);
  const shownData = dataBytes <= left / 2 ? data : `Data of ${dataBytes} bytes, not shown\n`;
  const content = cutToBytes(indentedContent(message), left - Buffer.byteLength(shownData) - 1).trimEnd();
  const shown = `${header}${shownData}${content === '' ? '' : `${content}\n`}${note}`;
  return { shown, bytes: Buffer.byteLength(shown), isCut: true };
}

/**
 * The message as JSON, in at most `bytesMax` bytes. Members that are too large are left out and never cut, so that no program
 * takes a part for the whole. `facts` are added to the message.
 */
export function fittedJson(message: Message, facts: object, bytesMax: number): Fitted<object> {
  const whole = { ...messageJson(message), ...facts };
  const bytes = bytesOf(whole);
  if (bytes <= bytesMax) return { shown: whole, bytes, isCut: false };
  const shown: Record<string, unknown> = { ...whole, isCut: true };
  for (const name of ['content', 'data', 'to', 'threadId']) {
    delete shown[name];
    if (bytesOf(shown) <= bytesMax) break;
  }
  return { shown, bytes: bytesOf(shown), isCut: true };
}

/** The size of a value, with the comma or line break after it. */
function bytesOf(value: object): number {
  return Buffer.byteLength(visibleJsonText(jsonWithTexts(value))) + 1;
}

interface MessageWithFacts {
  readonly message: Message;
  readonly facts: object;
}

/**
 * The same for a list: first the facts that identify each message, as long as there is room, then the rest of the oldest
 * messages, as far as the remaining room goes.
 */
export function fittedList(all: readonly MessageWithFacts[], bytesMax: number): object[] {
  const headers = all.map(({ message, facts }) => fittedJson(message, facts, 0));
  let left = bytesMax - Buffer.byteLength('[]\n');
  const shown = headers.findIndex(({ bytes }) => (left -= bytes) < 0);
  const listed = shown < 0 ? headers : headers.slice(0, shown);
  left = bytesMax - Buffer.byteLength('[]\n') - listed.reduce((sum, { bytes }) => sum + bytes, 0);
  return listed.map((least, at) => {
    const { message, facts } = all[at] as MessageWithFacts;
    const fitted = fittedJson(message, facts, left + least.bytes);
    left -= fitted.bytes - least.bytes;
    return fitted.shown;
  });
}

/** The first lines of a text, as many as fit into `bytesMax`. */
export function linesWithin(text: string, bytesMax: number): string[] {
  const lines: string[] = [];
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('\n', at) + 1 || text.length;
    lines.push(text.slice(at, end));
    at = end;
  }
  let bytes = 0;
  const over = lines.findIndex((line) => (bytes += Buffer.byteLength(line)) > bytesMax);
  return over < 0 ? lines : lines.slice(0, over);
}
