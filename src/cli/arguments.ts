import { InvalidInput } from '../errors.ts';
import { echo } from '../message/cut.ts';
import { nearest } from '../message/nearest.ts';
import { COMMON_OPTIONS, type OptionSpec, type CommandSpec } from './command-spec.ts';
import { commandLine } from './shell-words.ts';

/** A parsed command line, checked against the command's spec. */
export interface Arguments {
  readonly operands: readonly string[];
  /** Flags are `true`. */
  readonly options: ReadonlyMap<string, string | true>;
}

/** The value of an option; undefined if it was not given. */
export function textOption({ options }: Arguments, name: string): string | undefined {
  const value = options.get(name);
  return typeof value === 'string' ? value : undefined;
}

/**
 * Parses the words after the command's name. Options may stand anywhere, but the word in a literal operand's place is that
 * operand, whatever it looks like. `--` turns all words after it into operands; it is an operand itself only as the last
 * word, in a literal operand's place. The option that replaces that operand is not taken for the operand if its value
 * follows. With --help or --version the operands may be incomplete. Throws `InvalidInput`, with the nearest name or the
 * command in full.
 */
export function parseArguments(command: CommandSpec, words: readonly string[]): Arguments {
  const operands: string[] = [];
  const options = new Map<string, string | true>();
  const known = [...command.options, ...COMMON_OPTIONS];
  const literalAt = command.operands.findIndex(({ literal }) => literal);
  const replacing = known.find(({ insteadOfLiteral }) => insteadOfLiteral);
  let onlyOperands = false;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const isLiteral = operands.length === literalAt && !(replacing && options.has(replacing.name));
    const isReplacing = word === `--${replacing?.name}` && isValue(words[at + 1], known);
    const isTaken = isLiteral && !isReplacing && !(word === '--' && at + 1 < words.length);
    if (onlyOperands || isTaken || word === '-' || !word.startsWith('-')) {
      operands.push(word);
    } else if (word === '--') {
      onlyOperands = true;
    } else {
      const { option, attached } = findOption(command, known, word);
      if (options.has(option.name)) throw usage(command, `--${option.name} is given twice.`);
      const value = option.value === undefined ? true : (attached ?? words[++at]);
      if (value === undefined) throw usage(command, `--${option.name} needs a value: ${option.value ?? ''}.`);
      assertChoice(command, `--${option.name}`, option.choices, value);
      options.set(option.name, value);
    }
  }
  const args = { operands, options };
  if (options.has('help') || options.has('version')) return args;
  assertOperands(command, args, { words, isReplaced: replacing !== undefined && options.has(replacing.name) });
  return args;
}

function isValue(word: string | undefined, known: readonly OptionSpec[]): boolean {
  return word !== undefined && !known.some(({ name }) => word.split('=')[0] === `--${name}`);
}

function findOption(
  command: CommandSpec,
  known: readonly OptionSpec[],
  word: string,
): { option: OptionSpec; attached: string | undefined } {
  const dashes = word.startsWith('--') ? 2 : 1;
  const [name = '', ...rest] = (word === '-h' ? 'help' : word.slice(dashes)).split('=');
  const attached = rest.length > 0 ? rest.join('=') : undefined;
  const option = word.startsWith('--') || word === '-h' ? known.find((one) => one.name === name) : undefined;
  if (!option) {
    const near = nearest(
      name,
      known.map((one) => one.name),
    );
    const hint = near ? `Did you mean --${near}? ` : '';
    throw usage(command, `mailroom ${command.name} has no option ${JSON.stringify(word)}.`, hint);
  }
  if (attached !== undefined && option.value === undefined) {
    throw usage(command, `--${option.name} takes no value, got ${JSON.stringify(attached)}.`);
  }
  return { option, attached };
}

function assertOperands(
  command: CommandSpec,
  { operands }: Arguments,
  { words, isReplaced }: { words: readonly string[]; isReplaced: boolean },
): void {
  const wanted = command.operands.filter(({ literal }) => !(literal && isReplaced));
  const missing = wanted.slice(operands.length).find(({ optional }) => !optional);
  if (missing) throw usage(command, `mailroom ${command.name} needs <${missing.name}>.`);
  for (const [index, operand] of operands.entries()) {
    const spec = wanted[index] ?? (wanted.at(-1)?.many ? wanted.at(-1) : undefined);
    if (spec) assertChoice(command, `<${spec.name}>`, spec.choices, operand);
    else throw isReplaced ? bothGiven(command) : tooMany(command, { operand, words });
  }
}

function bothGiven(command: CommandSpec): InvalidInput {
  const literal = command.operands.find((one) => one.literal)?.name ?? '';
  const option = command.options.find((one) => one.insteadOfLiteral)?.name ?? '';
  return usage(command, `--${option} and <${literal}> exclude each other.`, 'Give one of them. ');
}

function tooMany(
  command: CommandSpec,
  { operand, words }: { operand: string; words: readonly string[] },
): InvalidInput {
  const literal = command.operands.find((one) => one.literal);
  const what = `mailroom ${command.name} takes no further argument, got ${JSON.stringify(operand)}.`;
  if (!literal) return usage(command, what);
  const inOrder = optionsFirst(command, words);
  return new InvalidInput(
    `${what} The argument after <type> is the ${literal.name}, whatever it looks like, and it is one argument.`,
    { hint: inOrder ? `Put options first: ${inOrder}` : `Put quotes around the ${literal.name}, or pipe it in with -` },
  );
}

/** The command line with its options first, for a line that has them in the literal operand's place. */
function optionsFirst(command: CommandSpec, words: readonly string[]): string | undefined {
  const known = [...command.options, ...COMMON_OPTIONS];
  const moved: string[] = [];
  const left: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '--') return undefined;
    const option = known.find(({ name }) => word === `--${name}`);
    if (!option) left.push(word);
    else moved.push(word, ...(option.value === undefined ? [] : [words[++at] ?? '']));
  }
  return left.length === command.operands.length ? commandLine([command.name, ...moved, ...left]) : undefined;
}

function assertChoice(
  command: CommandSpec,
  what: string,
  choices: readonly string[] | undefined,
  value: string | true,
): void {
  if (!choices || value === true || choices.includes(value)) return;
  const near = nearest(value, choices);
  const expected = `${what} is ${echo(value)}: expected ${choices.join(', ')}.`;
  throw usage(command, expected, near ? `Did you mean ${near}? ` : '');
}

function usage(command: CommandSpec, message: string, hint = ''): InvalidInput {
  return new InvalidInput(message, { hint: `${hint}See: mailroom help ${command.name}` });
}
