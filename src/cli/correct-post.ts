import { InvalidInput } from '../errors.ts';
import { quote } from '../host/shell-word.ts';
import { isActorAddress } from '../message/address.ts';
import { echo } from '../message/cut.ts';
import { isCommonType, isMessageType } from '../message/message-type.ts';
import { parseArguments, type Arguments } from './arguments.ts';
import { COMMON_OPTIONS, type CommandSpec } from './command-spec.ts';
import { commandLine } from './shell-words.ts';

/** A command line: its words, and the index of the command's name. */
export interface Line {
  readonly words: readonly string[];
  readonly at: number;
}

/** A hint shows one command per recipient, for at most this many recipients. */
const RECIPIENTS_MAX = 8;
/** A hint does not repeat longer content. */
export const CONTENT_CHARS_SHOWN_MAX = 2_000;
const EVERYBODY = ['all', '*'];
/** Options of other programs that stand for an operand. */
const GUESSED_OPTIONS: ReadonlyMap<string, 'to' | 'type' | 'content' | 'as'> = new Map([
  ['to', 'to'],
  ['recipient', 'to'],
  ['type', 'type'],
  ['message', 'content'],
  ['content', 'content'],
  ['body', 'content'],
  ['text', 'content'],
  ['m', 'content'],
  ['from', 'as'],
  ['sender', 'as'],
]);

/**
 * Parses a line as `parseArguments` does. For a command that sends, it also checks the forms of the recipient and the type.
 * Throws `InvalidInput`, with the whole corrected command if the intent is clear.
 */
export function parseLine(command: CommandSpec, line: Line): Arguments {
  let args: Arguments;
  try {
    args = parseArguments(command, line.words.toSpliced(line.at, 1));
  } catch (error) {
    throw corrected(error, command, line);
  }
  const fault = faultIn(command, args);
  const hint = fault === undefined ? undefined : correctionOf(command, line);
  if (fault === undefined || hint === undefined) return args;
  throw new InvalidInput(fault, { hint });
}

function corrected(error: unknown, command: CommandSpec, line: Line): unknown {
  // Only the order of the words was wrong, and the hint already has all of them.
  if (!(error instanceof InvalidInput) || error.hint?.startsWith('Put options first')) return error;
  const hint = correctionOf(command, line);
  return hint === undefined ? error : new InvalidInput(error.message, { hint });
}

/** Why a line with the right number of operands cannot be sent; undefined if it can. */
function faultIn({ operands: specs }: CommandSpec, { operands, options }: Arguments): string | undefined {
  if (options.has('help') || options.has('version')) return undefined;
  const to = operands[specs.findIndex(({ name }) => name === 'to')];
  if (to !== undefined && !isActorAddress(to)) return `${echo(to)} is not the address of one recipient.`;
  const type = operands[typeAtOf(specs)];
  if (type === undefined || isMessageType(type)) return undefined;
  return `${echo(type)} is not a message type: expected capitals, such as INFO or QUESTION.`;
}

function typeAtOf(specs: CommandSpec['operands']): number {
  return specs.findIndex(({ completes }) => completes === 'type');
}

/**
 * Corrects a line that lacks the type, has it in lower case, names several recipients, does not quote the content, or gives
 * operands as options. Returns a hint with each command in full, all options kept; undefined if the intent is unclear or
 * nothing is wrong. `assumed` is the type of a message for which none is given. *Default: INFO.*
 */
export function correctionOf(command: CommandSpec, { words, at }: Line, assumed = 'INFO'): string | undefined {
  const typeAt = typeAtOf(command.operands);
  const loose = typeAt < 0 ? undefined : splitLoosely(command, words.toSpliced(at, 1));
  if (!loose || loose.operands.some(looksLikeOption)) return undefined;
  const { options, named } = loose;
  const isReplaced = options.some((word) => /^--file(?:=|$)/.test(word));
  const { heads, left } = headsOf(command, loose, isReplaced);
  const message = messageIn([named.get('type'), ...left, named.get('content')], { isReplaced, assumed });
  if (!message || heads.some((head) => /\s/.test(head))) return undefined;
  const { type, content } = message;
  const lineTo = (name: string, head: readonly string[]): string | undefined => {
    const behind = [...head, type, ...(content === undefined ? [] : [content])];
    if (name === command.name && !isComplete(command, [...behind, ...options])) return undefined;
    if (content === undefined || content.length <= CONTENT_CHARS_SHOWN_MAX) {
      return commandLine([name, ...behind, ...options], content === undefined ? undefined : behind.length);
    }
    // No shell takes `<content>` as a word, so it cannot be sent by mistake.
    return [commandLine([name, ...head, type]), '<content>', ...options.map(quote)].join(' ');
  };
  const toAll = options.some((word) => word.startsWith('--reply-to')) ? undefined : lineTo('broadcast', []);
  if (command.name === 'send' && heads.some((head) => EVERYBODY.includes(head))) {
    return toAll && `Did you mean: ${toAll}`;
  }
  const lines = (heads.length > 0 ? heads.map((head) => [head]) : [[]]).map((head) => lineTo(command.name, head));
  if (lines.length > RECIPIENTS_MAX || lines.includes(undefined)) return undefined;
  if (lines.length === 1) return `Did you mean: ${lines[0]}`;
  return `Send it to each:\n${lines.join('\n')}${toAll ? `\nOr to all who have joined: ${toAll}` : ''}`;
}

/** Whether the words around a command's name are all that it needs. */
export function isComplete(command: CommandSpec, words: readonly string[]): boolean {
  try {
    return faultIn(command, parseArguments(command, words)) === undefined;
  } catch {
    return false;
  }
}

interface LooseWords {
  readonly operands: readonly string[];
  /** Options that the command has, with their values, as they were typed. */
  readonly options: readonly string[];
  /** The operands that were given as options of other programs. */
  readonly named: ReadonlyMap<'to' | 'type' | 'content', string>;
}

function splitLoosely(command: CommandSpec, words: readonly string[]): LooseWords | undefined {
  const known = [...command.options, ...COMMON_OPTIONS];
  const [operands, options]: [string[], string[]] = [[], []];
  const named = new Map<'to' | 'type' | 'content', string>();
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '--') return undefined;
    const [, hyphens, name = '', attached] = /^(--?)([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    const option = hyphens === '--' ? known.find((one) => one.name === name) : undefined;
    const guessed = hyphens === undefined || option ? undefined : GUESSED_OPTIONS.get(name);
    const takesNext = attached === undefined && (guessed !== undefined || option?.value !== undefined);
    const value = takesNext ? words[++at] : attached;
    if (takesNext && value === undefined) return undefined;
    if (option) options.push(word, ...(takesNext ? [value ?? ''] : []));
    else if (guessed === 'as') options.push('--as', value ?? '');
    else if (guessed !== undefined) named.set(guessed, value ?? '');
    else operands.push(word);
  }
  return { operands, options, named };
}

function looksLikeOption(word: string): boolean {
  return /^--?[a-z][\w-]*(?:=|$)/i.test(word);
}

/** The recipients of a message, or the id it answers, and the words after them. */
function headsOf(
  { name, operands: specs }: CommandSpec,
  { operands, named }: LooseWords,
  isReplaced: boolean,
): { heads: readonly string[]; left: readonly string[] } {
  if (name !== 'send') {
    const count = typeAtOf(specs);
    return { heads: operands.slice(0, count), left: operands.slice(count) };
  }
  const to = named.get('to');
  if (to !== undefined) return { heads: addressesIn(to), left: operands };
  const typeAt = operands.findIndex((word, index) => index > 1 && isCommonType(word));
  const isBetween = typeAt > 1 && (typeAt < operands.length - 1 || isReplaced || named.has('content'));
  const count = isBetween && operands.slice(0, typeAt).flatMap(addressesIn).every(isActorAddress) ? typeAt : 1;
  return { heads: [...new Set(operands.slice(0, count).flatMap(addressesIn))], left: operands.slice(count) };
}

/** `bob`, `@bob`, `alice,bob` and `alice, bob` as addresses. */
function addressesIn(word: string): string[] {
  const parts = word.split(/[\s,;]+/).filter(Boolean);
  return parts.map((part) => part.replace(/^@/, '').toLowerCase());
}

/** The type and the content in the words after the recipient; no content if a file has it. */
function messageIn(
  words: readonly (string | undefined)[],
  { isReplaced, assumed }: { isReplaced: boolean; assumed: string },
): { readonly type: string; readonly content: string | undefined } | undefined {
  const [first, ...others] = words.filter((word) => word !== undefined);
  if (first === undefined) return isReplaced ? { type: assumed, content: undefined } : undefined;
  const large = first.toUpperCase().replaceAll('_', '-');
  const type = isMessageType(first) ? first : isCommonType(large) ? large : undefined;
  if (type !== undefined && isReplaced === (others.length === 0)) {
    return { type, content: isReplaced ? undefined : others.join(' ') };
  }
  if (isReplaced || isMessageType(first)) return undefined;
  const last = others.at(-1) ?? '';
  if (isCommonType(last)) return { type: last, content: [first, ...others.slice(0, -1)].join(' ') };
  return { type: assumed, content: [first, ...others].join(' ') };
}
