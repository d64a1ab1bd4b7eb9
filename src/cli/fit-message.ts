import { InvalidInput } from '../errors.ts';
import { cutToBytes, echo } from '../message/cut.ts';
import { jsonWithTexts } from '../message/exact-data.ts';
import type { Message } from '../message/message.ts';
import { visibleJsonText } from '../message/visible.ts';
import { textOption, type Arguments } from './arguments.ts';
import type { OptionSpec } from './command-spec.ts';
import { dataLine, headerLine, indentedContent, messageJson, messageText } from './show-message.ts';

/** What one command prints of mail unless more is asked for: what a model can take in one piece. */
const BYTES_MAX_DEFAULT = 32 * 1024;
/** Room for what is said of a message beside its text. */
const BYTES_MAX_LEAST = 1024;
const BYTES_MAX_MOST = 1_000_000_000;

export const MAX_BYTES_OPTION: OptionSpec = {
  name: 'max-bytes',
  value: 'count',
  summary: `how many bytes to print at most, ${BYTES_MAX_DEFAULT} if not given`,
};

/** Throws `InvalidInput`. */
export function maxBytesOf(args: Arguments): number {
  const text = textOption(args, MAX_BYTES_OPTION.name);
  if (text === undefined) return BYTES_MAX_DEFAULT;
  const bytes = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (bytes >= BYTES_MAX_LEAST && bytes <= BYTES_MAX_MOST) return bytes;
  throw new InvalidInput(
    `--max-bytes is ${echo(text)}: expected a whole number from ${BYTES_MAX_LEAST} to ${BYTES_MAX_MOST}.`,
  );
}

/** A message as it is printed, whole or in part. */
export interface Fitted<T> {
  readonly shown: T;
  /** Of all that is printed of it. */
  readonly bytes: number;
  readonly isCut: boolean;
}

/**
 * The message for a reader, in at most `bytesMax` bytes. Where it has more: its header, its data if they take no more than half of
 * that, the beginning of its text, and `rest`, the command that prints all of it.
 */
export function fittedText(
  message: Message,
  options: { nowMs: number; attempt: number; bytesMax: number; rest: string },
): Fitted<string> {
  const whole = messageText(message, options);
  const bytes = Buffer.byteLength(whole);
  if (bytes <= options.bytesMax) return { shown: whole, bytes, isCut: false };
  const header = `${headerLine(message, options)}\n`;
  const note = `Only a part is shown, of ${bytes} bytes. All of it: ${options.rest}\n\n`;
  const left = options.bytesMax - Buffer.byteLength(header + note);
  const data = dataLine(message);
  const dataBytes = Buffer.byteLength(data);
  const shownData = dataBytes <= left / 2 ? data : `Data of ${dataBytes} bytes, not shown\n`;
  const content = cutToBytes(indentedContent(message), left - Buffer.byteLength(shownData) - 1).trimEnd();
  const shown = `${header}${shownData}${content === '' ? '' : `${content}\n`}${note}`;
  return { shown, bytes: Buffer.byteLength(shown), isCut: true };
}

/**
 * The same for a program: what is too large is left out and never cut, so that nobody takes a part for the whole. `facts` are what is
 * said beside the message.
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

/** With what stands behind it on a line or in an array. */
function bytesOf(value: object): number {
  return Buffer.byteLength(visibleJsonText(jsonWithTexts(value))) + 1;
}

interface Listed {
  readonly message: Message;
  readonly facts: object;
}

/**
 * The same for a list: of each message what identifies it, as long as there is room, and of the oldest ones all, as far as the room
 * goes that is left then.
 */
export function fittedList(all: readonly Listed[], bytesMax: number): object[] {
  const cut = all.map(({ message, facts }) => fittedJson(message, facts, 0));
  let left = bytesMax - Buffer.byteLength('[]\n');
  const shown = cut.findIndex(({ bytes }) => (left -= bytes) < 0);
  const listed = shown < 0 ? cut : cut.slice(0, shown);
  left = bytesMax - Buffer.byteLength('[]\n') - listed.reduce((sum, { bytes }) => sum + bytes, 0);
  return listed.map((least, at) => {
    const { message, facts } = all[at] as Listed;
    const fitted = fittedJson(message, facts, left + least.bytes);
    left -= fitted.bytes - least.bytes;
    return fitted.shown;
  });
}

/** The lines of a text that fit. */
export function linesWithin(text: string, bytesMax: number): string[] {
  const lines = text.split(/(?<=\n)/).filter(Boolean);
  let bytes = 0;
  const over = lines.findIndex((line) => (bytes += Buffer.byteLength(line)) > bytesMax);
  return over < 0 ? lines : lines.slice(0, over);
}
