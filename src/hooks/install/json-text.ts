import { parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';
import { InvalidInput } from '../../errors.ts';

/** The extensions of JSON that a program's own parser accepts. */
export interface JsonDialect {
  readonly comments: boolean;
  readonly trailingCommas: boolean;
}

/** A part of a text, in characters, and its replacement. */
export interface TextEdit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

interface Token {
  readonly kind: 'space' | 'comma' | 'comment';
  readonly from: number;
  readonly to: number;
}

const BETWEEN = /(\s+)|(,)|\/\/[^\r\n]*|\/\*[\s\S]*?\*\//gy;
const LINE_BREAK = /[\r\n]/;
const BYTE_ORDER_MARK = '\uFEFF';

/**
 * Parses a text that holds one object. Throws `InvalidInput` with line and column for a text that is not JSON of this dialect;
 * `name` names the file in errors.
 */
export function parseObject(text: string, { name, dialect }: { name: string; dialect: JsonDialect }): Node {
  const errors: ParseError[] = [];
  // A byte order mark counts as one blank, so that offsets stay true.
  const read = text.startsWith(BYTE_ORDER_MARK) ? ` ${text.slice(1)}` : text;
  const root = treeOf(read, errors, { name, dialect });
  const [error] = errors;
  if (error) {
    const what = printParseErrorCode(error.error).replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ');
    throw notJson(name, `${placeOf(text, error.offset)}: ${what.toLowerCase()}`);
  }
  if (!dialect.comments) assertStrict(read, name);
  if (root?.type === 'object') return root;
  throw new InvalidInput(`${name} holds ${root ? kindOf(root) : 'nothing'}, expected an object {…}.`, {
    hint: 'Fix it, then repeat the command. The file was left as it is.',
  });
}

function treeOf(text: string, errors: ParseError[], { name, dialect }: { name: string; dialect: JsonDialect }) {
  try {
    return parseTree(text, errors, {
      disallowComments: !dialect.comments,
      allowTrailingComma: dialect.trailingCommas,
    });
  } catch (error) {
    if (error instanceof RangeError) throw notJson(name, 'it is nested too deeply');
    throw error;
  }
}

/** Checks with JSON.parse, which the program uses: the tolerant parser accepts some texts that JSON.parse refuses. */
function assertStrict(text: string, name: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const at = /at position (\d+)/.exec(message)?.[1];
    throw notJson(name, at === undefined ? message : placeOf(text, Number(at)));
  }
}

function notJson(name: string, why: string): InvalidInput {
  return new InvalidInput(`${name} is not valid JSON: ${why}.`, {
    hint: 'Fix it, then repeat the command. The file was left as it is.',
  });
}

function placeOf(text: string, offset: number): string {
  const lines = text.slice(0, offset).split(/\r\n|\r|\n/);
  return `line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`;
}

/** "a string", "an array". */
export function kindOf({ type }: Node): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : type === 'null' ? type : `a ${type}`;
}

/** The property's value; of several with one name the last counts, as in JSON.parse. */
export function valueOf(object: Node, key: string): Node | undefined {
  const property = object.children?.findLast(({ children }) => children?.[0]?.value === key);
  return property?.children?.[1];
}

export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  return [...edits]
    .sort((a, b) => b.from - a.from || b.to - a.to)
    .reduce((edited, { from, to, text: put }) => edited.slice(0, from) + put + edited.slice(to), text);
}

/**
 * The edits that append an item, an element or a property, to an array or object, in the style of its neighbours.
 * `removeItem` undoes exactly these, except for line breaks in a container that was empty.
 */
export function appendItem(
  text: string,
  container: Node,
  item: { readonly key?: string; readonly value: unknown },
): TextEdit[] {
  const { inner, close } = boundsOf(container);
  const last = container.children?.at(-1);
  const from = last ? endOf(last) : inner;
  const gap = tokensBetween(text, from, close);
  const comma = gap.find(({ kind }) => kind === 'comma');
  const style = styleOf(text);
  const isInline = style.isOneLine || (last !== undefined && !LINE_BREAK.test(text.slice(container.offset, close)));
  if (isInline) {
    const put = (item.key === undefined ? '' : `${JSON.stringify(item.key)}:`) + JSON.stringify(item.value);
    if (comma) return [{ from: comma.to, to: comma.to, text: ` ${put},` }];
    return [{ from, to: from, text: last ? `, ${put}` : put }];
  }
  const outer = indentAt(text, container.offset);
  const indent = (last && ownIndent(text, last)) ?? outer + style.unit;
  const at = endOfLine(text, gap, from);
  const value = JSON.stringify(item.value, null, style.unit).replaceAll('\n', style.eol + indent);
  const put = `${style.eol}${indent}${item.key === undefined ? '' : `${JSON.stringify(item.key)}: `}${value}`;
  const isClosedBelow = last !== undefined || LINE_BREAK.test(text.slice(at, close));
  const added = `${put}${comma ? ',' : ''}${isClosedBelow ? '' : style.eol + outer}`;
  if (!last || comma) return [{ from: at, to: at, text: added }];
  if (at === from) return [{ from, to: from, text: `,${added}` }];
  return [
    { from, to: from, text: ',' },
    { from: at, to: at, text: added },
  ];
}

/** The edits that remove an element or property from its array or object, and keep what others wrote around it. */
export function removeItem(text: string, item: Node): TextEdit[] {
  const container = item.parent;
  if (!container) return [];
  const { inner, close } = boundsOf(container);
  const siblings = container.children ?? [];
  const index = siblings.indexOf(item);
  const [before, after] = [siblings[index - 1], siblings[index + 1]];
  const ahead = tokensBetween(text, before ? endOf(before) : inner, item.offset);
  const behind = tokensBetween(text, endOf(item), after ? after.offset : close);
  const start = ahead.findLast(({ kind }) => kind !== 'space')?.to ?? (before ? endOf(before) : inner);
  const comma =
    behind.find(({ kind }) => kind === 'comma') ?? (before ? ahead.find(({ kind }) => kind === 'comma') : undefined);
  const taken = { from: start, to: endOf(item), text: '' };
  return comma ? [taken, { from: comma.from, to: comma.to, text: '' }] : [taken];
}

/** The offsets of the content between the brackets of an object or array. */
function boundsOf(container: Node): { inner: number; close: number } {
  return { inner: container.offset + 1, close: endOf(container) - 1 };
}

function endOf({ offset, length }: Node): number {
  return offset + length;
}

function tokensBetween(text: string, from: number, to: number): Token[] {
  const found: Token[] = [];
  BETWEEN.lastIndex = from;
  while (BETWEEN.lastIndex < to) {
    const match = BETWEEN.exec(text);
    if (!match) break;
    const kind = match[1] !== undefined ? 'space' : match[2] !== undefined ? 'comma' : 'comment';
    found.push({ kind, from: match.index, to: Math.min(BETWEEN.lastIndex, to) });
  }
  return found;
}

/** The end of the current line's content: after a comma, and after comments on that line. */
function endOfLine(text: string, gap: readonly Token[], from: number): number {
  let at = from;
  for (const { kind, from: start, to } of gap) {
    const isBreak = LINE_BREAK.test(text.slice(start, to));
    if (kind !== 'space') at = to;
    if (isBreak) break;
  }
  return at;
}

interface Style {
  readonly eol: string;
  /** One level of indentation. */
  readonly unit: string;
  readonly isOneLine: boolean;
}

/** The style of the text, taken from its first line break and its first indented line. */
function styleOf(text: string): Style {
  const content = text.trim();
  return {
    eol: /\r?\n/.exec(text)?.[0] ?? '\n',
    unit: /[\r\n]([ \t]+)\S/.exec(content)?.[1] ?? '  ',
    isOneLine: !LINE_BREAK.test(content) && /["\d\w]/.test(content),
  };
}

/** The indentation of the line at this offset. */
function indentAt(text: string, offset: number): string {
  const start = Math.max(text.lastIndexOf('\n', offset - 1), text.lastIndexOf('\r', offset - 1)) + 1;
  return /^[ \t]*/.exec(text.slice(start, offset))?.[0] ?? '';
}

/** The indentation of an item that is the first on its line; undefined for any other. */
function ownIndent(text: string, { offset }: Node): string | undefined {
  const indent = indentAt(text, offset);
  const before = text[offset - indent.length - 1];
  return before !== undefined && LINE_BREAK.test(before) ? indent : undefined;
}
