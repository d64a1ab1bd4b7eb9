/** An option as help, completion, did-you-mean and parsing all know it. */
export interface OptionSpec {
  /** Without the two hyphens. */
  readonly name: string;
  /** What stands for its value in the help; an option without one is a flag. */
  readonly value?: string;
  readonly summary: string;
  /** The only values it may have. */
  readonly choices?: readonly string[];
  /** It says what the literal operand would say, which then is left out. */
  readonly insteadOfLiteral?: boolean;
}

/** A word of a command line that is no option. */
export interface OperandSpec {
  readonly name: string;
  readonly optional?: boolean;
  /** Takes all words that are left. */
  readonly many?: boolean;
  /** The word in this place is taken as it is, also when it looks like an option. */
  readonly literal?: boolean;
  /** What a shell may offer to complete it. */
  readonly completes?: 'address' | 'type' | 'command';
  readonly choices?: readonly string[];
}

/** How one command is said and explained. */
export interface CommandSpec {
  readonly name: string;
  readonly summary: string;
  readonly operands: readonly OperandSpec[];
  readonly options: readonly OptionSpec[];
  /** What the summary leaves open, then examples, for `mailroom help <name>`. */
  readonly details: string;
}

/** Options that every command has, before or behind its name. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  { name: 'as', value: 'address', summary: 'who you are, if neither MAILROOM_AS nor a tmux pane says it' },
  { name: 'room', value: 'directory', summary: 'the room, if not MAILROOM_DIR or the .mailroom here or above' },
  { name: 'json', summary: 'JSON on stdout; errors as {"error":{code,message,hint}} on stderr' },
  { name: 'debug', summary: 'show where an error came from' },
  { name: 'help', summary: 'explain the command' },
  { name: 'version', summary: 'print the version' },
];

/** The words of a command line, taken apart at the command's name. */
export interface SplitLine {
  /** Undefined when there is none. */
  readonly name: string | undefined;
  /** At which word it stands; behind the last one when there is none. */
  readonly at: number;
  /** All words but the name. */
  readonly rest: readonly string[];
  /** What is asked for before any name. */
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

/** `-v` or `-V` and nothing else. With more words it may be meant as another program's `verbose`, and those would not be done. */
function isShortVersion(words: readonly string[]): boolean {
  return words.length === 1 && (words[0] === '-v' || words[0] === '-V');
}
