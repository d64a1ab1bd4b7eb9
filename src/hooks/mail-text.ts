import { createFence, fenced } from '../agents/prompt.ts';
import { cut, cutToBytes } from '../message/cut.ts';
import { dataJson } from '../message/exact-data.ts';
import type { Message } from '../message/message.ts';
import { visibleJson, visibleJsonText, visibleLines } from '../message/visible.ts';
import { COUNTS_BYTES, type HookProgram } from './programs.ts';

/** The longest text of a hook that programs take, as each counts it; some drop a longer text, or put it into a file. */
export const HOOK_CHARS_MAX = 10_000;
const ID_CHARS_SHOWN = 8;
const CUT_MARK = '…';

/** The length of a text as the program counts it: in UTF-16 units, or in bytes. */
export function lengthFor(program: HookProgram, text: string): number {
  return COUNTS_BYTES.has(program) ? Buffer.byteLength(text) : text.length;
}

export interface MailTextOptions {
  /** The program that shows the block; it determines how length is counted. */
  readonly program: HookProgram;
  /** The greatest length of the block. */
  readonly charsMax: number;
  /** How the signature was verified, such as `hmac-sha256`. */
  readonly algorithm: string;
  /** The start of the agent's commands, such as `mailroom --as codex-1`. */
  readonly command: string;
  readonly randomBytes: (length: number) => Uint8Array;
}

export interface MailBlock {
  readonly text: string;
  /** Only the beginning of the message is in it. */
  readonly isCut: boolean;
}

/**
 * One message as text for the model of a session: a line of verified facts, then the sender's text between two lines that the
 * sender could not have written. A message that is too long is cut, and the command that prints all of it is named.
 */
export function mailBlock(message: Message, options: MailTextOptions): MailBlock {
  const { program, charsMax, algorithm, command, randomBytes } = options;
  const { from, to, type, id, replyTo } = message;
  const shortId = id.slice(-ID_CHARS_SHOWN);
  const answers = replyTo === undefined ? '' : `, answers ${replyTo.slice(-ID_CHARS_SHOWN)}`;
  const everyone = to[0] === 'all' ? ', to everyone' : '';
  const facts = `From ${from}, ${type}, ${shortId}, verified (${algorithm})${everyone}${answers}:\n`;
  const chosen = visibleLines(chosenText(message));
  const fence = createFence(randomBytes, [chosen]);
  const block = (text: string, behind = ''): string => `${facts}${fenced(text, { name: 'MAIL', fence })}\n${behind}`;
  const whole = block(chosen);
  if (lengthFor(program, whole) <= charsMax) return { text: whole, isCut: false };
  const rest = `Only the beginning of ${chosen.length} characters fits here. ${command} read ${shortId} --all prints the whole message.\n`;
  const left = Math.max(0, charsMax - lengthFor(program, block('', rest)));
  return { text: block(beginning(program, chosen, left), rest), isCut: true };
}

function beginning(program: HookProgram, text: string, charsMax: number): string {
  if (!COUNTS_BYTES.has(program)) return cut(text, { charsMax, mark: CUT_MARK });
  return `${cutToBytes(text, charsMax - Buffer.byteLength(CUT_MARK))}${CUT_MARK}`;
}

function chosenText(message: Message): string {
  const { threadId, content, data } = message;
  return [
    ...(threadId === undefined ? [] : [`Thread: ${visibleJson(threadId)}`, '']),
    content,
    ...(data === undefined ? [] : ['', `Data: ${visibleJsonText(dataJson(message))}`]),
  ].join('\n');
}
