/**
 * What is known about a model's command line. A fact that can change with a release of the program names the version in which
 * it was seen (`seenIn`).
 */
export interface Preset {
  /** The program, a name that is looked up in `PATH`. */
  readonly file: string;
  /**
   * The arguments of a new session. `{args}` stands for the user's arguments, `{session}` for the session's id, `{prompt}` for a
   * file with the prompt and `{history}` for a file of the thread.
   */
  readonly begin: readonly string[];
  /** The arguments of a resumed session; missing if the program has no sessions by id. */
  readonly resume?: readonly string[];
  /** Where the program reads the prompt. */
  readonly prompt: 'stdin' | 'file';
  /** How to find reply, session and failure in the program's output. */
  readonly output: OutputRules;
  /** How long the program may make no progress, in ms; missing for a program that reports no progress. */
  readonly idleMs?: number;
  /** Forms of text in a prompt that the program itself replaces. */
  readonly expands?: readonly Expansion[];
  /** Failures that no retry heals. The first that fits counts. */
  readonly finalFailures: readonly FinalFailure[];
  /** How the program reports that the session to resume does not exist. */
  readonly lostSession?: RegExp;
  /** The flag that lets the program run in an untrusted directory; given only for a directory that the user named. */
  readonly trust?: FlagFact;
  /** The flag that lets the program edit files without asking; never given by Mailroom itself. */
  readonly edits?: FlagFact;
}

/** A form of text that the program replaces or acts on, and how a prompt is written so that it stays text. */
export interface Expansion {
  /** For people: `@path`. */
  readonly form: string;
  readonly seenIn: string;
  readonly find: RegExp;
  /** As for `String.replace`. */
  readonly plain: string;
  /** Tells the model how to read what was replaced. */
  readonly told: string;
}

/** A failure that no retry heals. */
export interface FinalFailure {
  /** What the matter is, in words that follow "the command cannot answer:". */
  readonly what: string;
  /** What a person can do about it, as a sentence. */
  readonly advice: string;
  readonly seenIn: string;
  /** In what the program reports as its failure, or on its stderr. */
  readonly text?: RegExp;
  /** Such an event came so often while it ran. */
  readonly event?: { readonly when: When; readonly times: number };
}

/** A flag of a model's command line. */
export interface FlagFact {
  /** The arguments that set the flag. */
  readonly args: readonly [string, ...string[]];
  /** Other options with the same effect. */
  readonly others: readonly string[];
  /** The version of the program in which the flag was seen. */
  readonly seenIn: string;
}

/**
 * The arguments to add to a command line so that a flag is set; none if the line sets it already.
 *
 * @param flag The flag.
 * @param words The words of the command line.
 */
export function missingOf({ args, others }: FlagFact, words: readonly string[]): readonly string[] {
  const isGiven = [args[0], ...others].some((name) => words.some((word) => word.split('=', 1)[0] === name));
  return isGiven ? [] : args;
}

/** How the reply, the session and a failure are found in what a program writes to stdout. */
export type OutputRules = { readonly format: 'text' } | EventRules;

export interface EventRules {
  /** One JSON object a line. */
  readonly format: 'jsonl';
  readonly session: readonly Find[];
  /** The first rule that fits an event counts for it. */
  readonly events: readonly EventRule[];
  /** The event that ends a turn, answered or failed: nothing that the answer needs comes after it. */
  readonly ends: readonly When[];
  /** Whether an answer without such an event is incomplete, whatever the exit code. */
  readonly mustEnd: boolean;
  /** An event that begins another turn: an end that came before it was not the last one. */
  readonly begins: readonly When[];
  /** Where an event lists what still runs in the background: while something does, another turn follows. */
  readonly running?: { readonly when: When; readonly at: string };
  /** Where an event lists the tools that the program was not allowed to use, and the name of each in there. */
  readonly denied?: { readonly when: When; readonly at: string; readonly name: string };
}

/** Values that an event must have, by path: `{ 'item.type': 'agent_message' }`. A text or number may be given as a pattern. */
export type When = Readonly<Record<string, string | number | boolean | RegExp>>;

export interface Find {
  readonly when: When;
  /** Of a text in the event; of several paths the first that leads to one. */
  readonly at: readonly string[];
}

export interface EventRule extends Find {
  /**
   * `reply`: it replaces an earlier one. `part`: it is put behind the parts before it. `divider`: what is said before it
   * was said on the way, not in the end. `failure`: the run has failed. `trouble`: a retry or warning; why, if the run does
   * not complete, and no sign of progress.
   */
  readonly kind: 'reply' | 'part' | 'divider' | 'failure' | 'trouble';
}
