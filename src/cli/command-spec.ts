/** An option, as used by help, completion, did-you-mean and parsing. */
export interface OptionSpec {
  /** Without the two hyphens. */
  readonly name: string;
  /** Placeholder of its value in the help; an option without one is a flag. */
  readonly value?: string;
  readonly summary: string;
  /** The only values it may have. */
  readonly choices?: readonly string[];
  /** It replaces the literal operand, which must then be absent. */
  readonly insteadOfLiteral?: boolean;
}

/** A word of a command line that is not an option. */
export interface OperandSpec {
  readonly name: string;
  readonly optional?: boolean;
  /** Takes all remaining words. */
  readonly many?: boolean;
  /** The word in this place is taken as it is, even if it looks like an option. */
  readonly literal?: boolean;
  /** What a shell offers to complete it with. */
  readonly completes?: 'address' | 'type' | 'command';
  readonly choices?: readonly string[];
}

/** The syntax and the help of one command. */
export interface CommandSpec {
  readonly name: string;
  readonly summary: string;
  readonly operands: readonly OperandSpec[];
  readonly options: readonly OptionSpec[];
  /** Details and examples, for `mailroom help <name>`. */
  readonly details: string;
}

/** Options that every command has, before or after its name. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  { name: 'as', value: 'address', summary: 'your address; default MAILROOM_AS, else your tmux pane' },
  { name: 'room', value: 'directory', summary: 'the room; default MAILROOM_DIR, else .mailroom here or above' },
  { name: 'json', summary: 'JSON on stdout; errors as {"error":{code,message,hint}} on stderr' },
  { name: 'debug', summary: 'show the stack of an error' },
  { name: 'help', summary: 'explain the command' },
  { name: 'version', summary: 'print the version' },
];

/** The words of a command line, split at the command's name. */
export interface SplitLine {
  /** Undefined if there is none. */
  readonly name: string | undefined;
  /** The index of the name in the words; their number if there is no name. */
  readonly at: number;
  /** All words but the name. */
  readonly rest: readonly string[];
  /** What an option before the name asks for. */
  readonly asks: 'help' | 'version' | undefined;
}

/** Common options may stand before the command's name: `mailroom --as alice read`. */
export function splitLine(words: readonly string[]): SplitLine {
  let asks: SplitLine['asks'] = isShortVersion(words) ? 'version' : undefined;
  let at = 0;
  for (; at < words.length; at++) {
    const word = words[at] ?? '';
    if (!word.startsWith('-') || word === '-') break;
    if (word === '--help' || word === '-h') asks ??= 'help';
    if (word === '--version') asks ??= 'version';
    if (COMMON_OPTIONS.some(({ name, value }) => value !== undefined && word === `--${name}`)) at += 1;
  }
  return { name: words[at], at, rest: [...words.slice(0, at), ...words.slice(at + 1)], asks };
}

/** `-v` or `-V` and nothing else. With more words it may mean another program's `verbose`, and those words would be ignored. */
function isShortVersion(words: readonly string[]): boolean {
  return words.length === 1 && (words[0] === '-v' || words[0] === '-V');
}
