import type { Node } from 'jsonc-parser';
import { InvalidInput } from '../../errors.ts';
import { readHookCommand, type ReadCommand } from './hook-command.ts';
import { CONFIG_SHAPES, type ConfiguredProgram, type ConfigEntry } from './config-shapes.ts';
import { appendItem, applyEdits, kindOf, parseObject, removeItem, valueOf } from './json-text.ts';

/** A configuration file of a program; `name` is its name in errors. */
export interface ConfigFile {
  readonly program: ConfiguredProgram;
  readonly name: string;
  /** A directory that Mailroom has made writable for the program's sandbox. */
  readonly writable?: string | undefined;
}

/** The path of Claude Code's setting for the directories that its sandbox may write to. */
export const CLAUDE_WRITABLE = ['sandbox', 'filesystem', 'allowWrite'];

const ENTRIES_MAX = 1_000;

/** Mailroom's entries in a file. */
export interface OwnEntries {
  readonly entries: readonly ConfigEntry[];
  readonly commands: readonly ReadCommand[];
}

/**
 * Adds these entries to the text, each at the end of its array. A missing or blank text becomes a whole file. Throws
 * `InvalidInput` for a text that is not JSON, or has something else in the place of an entry.
 */
export function withEntries(text: string | undefined, entries: readonly ConfigEntry[], file: ConfigFile): string {
  const { constants } = CONFIG_SHAPES[file.program];
  if (text === undefined || text.trim() === '') return wholeText(entries, constants);
  let edited = text;
  for (const [key, value] of Object.entries(constants)) {
    const root = parse(edited, file);
    if (!valueOf(root, key)) edited = applyEdits(edited, appendItem(edited, root, { key, value }));
  }
  for (const entry of entries) edited = withEntry(edited, entry, file);
  return edited;
}

/** Mailroom's entries in a text, in the order of the text. Throws as `withEntries` does for a text that is not JSON. */
export function ownEntries(text: string | undefined, file: ConfigFile): OwnEntries {
  if (text === undefined || text.trim() === '') return { entries: [], commands: [] };
  const found = ownNodes(parse(text, file), file);
  return {
    entries: found.map(({ path, node }) => ({ path, value: valueIn(node) })),
    commands: found.flatMap(({ commands }) => commands),
  };
}

/**
 * Removes Mailroom's entries from the text, and the arrays and objects that become empty and that `before`, the original
 * text, does not have. Undefined if there was no original text and nothing is left. Equal to `before` if nothing else has
 * changed since.
 */
export function withoutEntries(text: string, before: string | undefined, given: ConfigFile): string | undefined {
  const first = before === undefined || before.trim() === '' ? undefined : tryParse(before, given);
  const file = first && ownNodes(first, given).some(({ path }) => path === CLAUDE_WRITABLE) ? unwritable(given) : given;
  const own = ownEntries(text, file).entries;
  if (own.length === 0) return text;
  if (text === rebuilt(before, own, file)) return before;
  let edited = text;
  const emptied = new Map<string, readonly string[]>();
  for (let count = 0; count < ENTRIES_MAX; count++) {
    const [found] = ownNodes(parse(edited, file), file);
    if (!found) break;
    edited = applyEdits(edited, removeItem(edited, found.node));
    for (let depth = found.path.length; depth > 0; depth--) {
      const path = found.path.slice(0, depth);
      emptied.set(JSON.stringify(path), path);
    }
  }
  const paths = [...emptied.values()].sort((a, b) => b.length - a.length);
  for (const path of paths) edited = withoutEmpty(edited, path, { before, first, file });
  for (const key of Object.keys(CONFIG_SHAPES[file.program].constants)) {
    const root = parse(edited, file);
    const property = root.children?.findLast(({ children }) => children?.[0]?.value === key);
    const isOurs = first ? !valueOf(first, key) : root.children?.length === 1;
    if (property && isOurs) edited = applyEdits(edited, removeItem(edited, property));
  }
  const root = parse(edited, file);
  if (root.children?.length !== 0) return edited;
  if (before === undefined) return undefined;
  return first?.children?.length === 0 && isBlankAlike(edited, before) ? before : edited;
}

/** The file without its `writable` directory, which was in the original text and so is not Mailroom's. */
function unwritable({ program, name }: ConfigFile): ConfigFile {
  return { program, name };
}

/** The original text with the entries added again; undefined if they cannot be added. */
function rebuilt(before: string | undefined, own: readonly ConfigEntry[], file: ConfigFile): string | undefined {
  try {
    return withEntries(before, own, file);
  } catch {
    return undefined;
  }
}

function tryParse(text: string, file: ConfigFile): Node | undefined {
  try {
    return parse(text, file);
  } catch {
    return undefined;
  }
}

function parse(text: string, { program, name }: ConfigFile): Node {
  return parseObject(text, { name, dialect: CONFIG_SHAPES[program].dialect });
}

function wholeText(entries: readonly ConfigEntry[], constants: Readonly<Record<string, unknown>>): string {
  interface Tree {
    [key: string]: Tree | unknown[];
  }
  const root: Record<string, unknown> = { ...constants };
  for (const { path, value } of entries) {
    let at = root as Tree;
    for (const key of path.slice(0, -1)) at = (at[key] ??= {}) as Tree;
    const list = (at[path.at(-1) ?? ''] ??= []) as unknown[];
    list.push(value);
  }
  return `${JSON.stringify(root, null, 2)}\n`;
}

function withEntry(text: string, { path, value }: ConfigEntry, file: ConfigFile): string {
  let container = parse(text, file);
  for (const [depth, key] of path.entries()) {
    const next = valueOf(container, key);
    if (!next) {
      const made = path.slice(depth + 1).reduceRight<unknown>((inner, name) => ({ [name]: inner }), [value]);
      return applyEdits(text, appendItem(text, container, { key, value: made }));
    }
    const expected = depth === path.length - 1 ? 'array' : 'object';
    if (next.type !== expected) throw notThere(file, path.slice(0, depth + 1), next, expected);
    container = next;
  }
  return applyEdits(text, appendItem(text, container, { value }));
}

function notThere({ name }: ConfigFile, path: readonly string[], found: Node, expected: string): InvalidInput {
  return new InvalidInput(`"${path.join('.')}" in ${name} is ${kindOf(found)}, expected an ${expected}.`, {
    hint: 'Fix it, then repeat the command. The file was left as it is.',
  });
}

interface OwnNode {
  readonly path: readonly string[];
  readonly node: Node;
  readonly commands: readonly ReadCommand[];
}

/** Mailroom's nodes: a group if all its commands are Mailroom's, else each of its commands that is. */
function ownNodes(root: Node, { program, writable }: ConfigFile): OwnNode[] {
  const { isGrouped, commandKey } = CONFIG_SHAPES[program];
  const read = (node: Node): ReadCommand | undefined =>
    readHookCommand(program, textOf(valueIfObject(node, commandKey)));
  const hooks = valueIfObject(root, 'hooks');
  const found = (hooks?.type === 'object' ? (hooks.children ?? []) : []).flatMap(({ children = [] }) => {
    const [key, list] = children;
    const path = ['hooks', String(key?.value)];
    return (list?.type === 'array' ? (list.children ?? []) : []).flatMap((element): OwnNode[] => {
      const group = isGrouped ? valueIfObject(element, 'hooks') : undefined;
      const nodes = isGrouped ? (group?.type === 'array' ? (group.children ?? []) : []) : [element];
      const own = nodes.flatMap((node) => {
        const command = read(node);
        return command ? [{ path, node, commands: [command] }] : [];
      });
      if (own.length === 0 || own.length < nodes.length) return own;
      return [{ path, node: element, commands: own.flatMap(({ commands }) => commands) }];
    });
  });
  if (writable === undefined || program !== 'claude') return found;
  const list = CLAUDE_WRITABLE.reduce<Node | undefined>((node, key) => node && valueIfObject(node, key), root);
  const directory = list?.type === 'array' ? list.children?.find(({ value }) => value === writable) : undefined;
  return directory ? [...found, { path: CLAUDE_WRITABLE, node: directory, commands: [] }] : found;
}

function valueIfObject(node: Node, key: string): Node | undefined {
  return node.type === 'object' ? valueOf(node, key) : undefined;
}

function textOf(node: Node | undefined): unknown {
  return node?.type === 'string' ? node.value : undefined;
}

function valueIn(node: Node): unknown {
  if (node.type === 'array') return (node.children ?? []).map(valueIn);
  if (node.type !== 'object') return node.value;
  return Object.fromEntries(
    (node.children ?? []).map(({ children = [] }) => [
      String(children[0]?.value),
      children[1] ? valueIn(children[1]) : null,
    ]),
  );
}

/** Removes an empty array or object, unless the original text has it: then its original white space is restored. */
function withoutEmpty(
  text: string,
  path: readonly string[],
  { before, first, file }: { before: string | undefined; first: Node | undefined; file: ConfigFile },
): string {
  const node = nodeAt(parse(text, file), path);
  if (!node?.parent || node.children?.length !== 0) return text;
  const old = first && nodeAt(first, path);
  if (!old || before === undefined) return applyEdits(text, removeItem(text, node.parent));
  const was = sourceOf(before, old);
  if (old.children?.length !== 0 || !isBlankAlike(sourceOf(text, node), was)) return text;
  return applyEdits(text, [{ from: node.offset, to: node.offset + node.length, text: was }]);
}

function nodeAt(root: Node, path: readonly string[]): Node | undefined {
  return path.reduce<Node | undefined>((node, key) => node && valueIfObject(node, key), root);
}

function sourceOf(text: string, { offset, length }: Node): string {
  return text.slice(offset, offset + length);
}

function isBlankAlike(one: string, other: string): boolean {
  return one.replaceAll(/\s/g, '') === other.replaceAll(/\s/g, '');
}
