import type { Message } from './message.ts';

/** JSON that is written as it is, without being parsed and serialized again. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const exact = new WeakMap<object, JsonText>();

/** Remembers the text of a message's data if it has numbers that JavaScript cannot represent. */
export function noteExactData(message: Message, envelope: string): void {
  if (message.data === undefined || findInexactNumber(envelope) === undefined) return;
  const text = dataIn(envelope);
  if (findInexactNumber(text) !== undefined) exact.set(message, new JsonText(text));
}

/**
 * The JSON of a message's `data` as it was signed, without blanks, if `data` itself has other numbers because
 * JavaScript cannot represent one of them; undefined if `data` is exact.
 */
export function exactDataOf(message: Pick<Message, 'data'>): JsonText | undefined {
  return exact.get(message);
}

/**
 * The `data` of a message, which must have some, as JSON text with every number as it was sent. Use it where `data` may
 * have integers beyond 2^53 or decimals that a double rounds.
 */
export function dataJson(message: Pick<Message, 'data'>): string {
  return exactDataOf(message)?.text ?? JSON.stringify(message.data);
}

/** Like `JSON.stringify`, but a `JsonText` anywhere in the value is inserted as it is. */
export function jsonWithTexts(value: unknown): string {
  if (value instanceof JsonText) return value.text;
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(jsonWithTexts).join(',')}]`;
  const members = Object.entries(value).filter(([, part]) => part !== undefined);
  return `{${members.map(([key, part]) => `${JSON.stringify(key)}:${jsonWithTexts(part)}`).join(',')}}`;
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s"{}[\],:]+/g;
const DATA = 'data';

/** The text of the envelope's member `data`, as tokens without blanks between them. */
function dataIn(envelope: string): string {
  const kept: string[] = [];
  let depth = 0;
  let isInData = false;
  let before = '';
  for (const [token] of envelope.matchAll(TOKEN)) {
    if (token === '}' || token === ']') depth -= 1;
    if (isInData && (depth === 0 || (depth === 1 && token === ','))) return kept.join('');
    if (isInData) kept.push(token);
    else if (depth === 1 && token === ':') isInData = JSON.parse(before) === DATA;
    if (token === '{' || token === '[') depth += 1;
    before = token;
  }
  return kept.join('');
}

/** A number of at most 15 digits without an exponent survives a round trip through a double (IEEE 754, 5.12.2). */
const MAY_BE_INEXACT = /[\d.]{16}|\d[eE]/;
/** Strings are matched only so that their content is skipped. */
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;
const DECIMAL = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/**
 * The first number in a JSON text that JavaScript would turn into another one, such as 12345678901234567890 or 1e400;
 * undefined if there is none. 0.1 does not count: it survives the round trip. The text must be valid JSON.
 */
export function findInexactNumber(text: string): string | undefined {
  if (!MAY_BE_INEXACT.test(text)) return undefined;
  for (const [token] of text.matchAll(STRING_OR_NUMBER)) if (!token.startsWith('"') && !isExact(token)) return token;
  return undefined;
}

function isExact(token: string): boolean {
  const value = Number(token);
  return Number.isFinite(value) && decimalOf(token) === decimalOf(String(value));
}

/**
 * One spelling for all that mean the same number: the digits without zeros at either end, and the power of ten behind
 * them.
 */
function decimalOf(token: string): string {
  const [, whole = '', fraction = '', exponent = '0'] = DECIMAL.exec(token) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  let length = digits.length;
  while (digits[length - 1] === '0') length -= 1;
  return length === 0
    ? '0'
    : `${digits.slice(0, length)}e${Number(exponent) - fraction.length + digits.length - length}`;
}
