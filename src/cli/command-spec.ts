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
