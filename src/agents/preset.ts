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
  /** Failures that no retry can fix. The first match counts. */
  readonly finalFailures: readonly FinalFailure[];
  /** How the program reports that the session to resume does not exist. */
  readonly lostSession?: RegExp;
  /** The flag that lets the program run in an untrusted directory; given only for a directory that the user named. */
  readonly trust?: FlagFact;
  /** The flag that lets the program edit files without asking; never given by Mailroom itself. */
  readonly edits?: FlagFact;
}

/** A form of text that the program expands, and how to escape it in a prompt. */
export interface Expansion {
  /** The form for people to read, such as `@path`. */
  readonly form: string;
  readonly seenIn: string;
  readonly find: RegExp;
  /** As for `String.replace`. */
  readonly plain: string;
  /** A note that tells the model how to read the escaped text. */
  readonly told: string;
}

/** A failure that no retry can fix. */
export interface FinalFailure {
  /** The problem, as a predicate of the program: "is not logged in". */
  readonly what: string;
  /** What a person can do about it, as a sentence. */
  readonly advice: string;
  readonly seenIn: string;
  /** Matches the failure that the program reports, or a line of its stderr. */
  readonly text?: RegExp;
  /** Matches if this many such events came during the run. */
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

/** How to find the reply, the session and a failure in a program's stdout. */
export type OutputRules = { readonly format: 'text' } | EventRules;

export interface EventRules {
  /** One JSON object per line. */
  readonly format: 'jsonl';
  readonly session: readonly Find[];
  /** The first rule that matches an event applies. */
  readonly events: readonly EventRule[];
  /** The events that end a turn, answered or failed: nothing that the answer needs comes after them. */
  readonly ends: readonly When[];
  /** Whether an answer without such an event is incomplete, even with exit code 0. */
  readonly mustEnd: boolean;
  /** The events that begin another turn: an end before them was not the last one. */
  readonly begins: readonly When[];
  /** The event, and the path in it, that lists the tasks in the background. While there are any, another turn follows. */
  readonly running?: { readonly when: When; readonly at: string };
  /** The event, and the path in it, that lists the tools that the program was not allowed to use; `name` is the path of a tool's name. */
  readonly denied?: { readonly when: When; readonly at: string; readonly name: string };
}

/** Values that an event must have, by path: `{ 'item.type': 'agent_message' }`. A pattern matches texts and numbers. */
export type When = Readonly<Record<string, string | number | boolean | RegExp>>;

export interface Find {
  readonly when: When;
  /** Paths of a text in the event; the first that leads to one counts. */
  readonly at: readonly string[];
}

export interface EventRule extends Find {
  /**
   * `reply`: replaces an earlier reply. `part`: is appended to the parts before it. `divider`: text before it was not the
   * final answer. `failure`: the run has failed. `trouble`: a retry or warning; the reason if the run does not complete, and
   * no sign of progress.
   */
  readonly kind: 'reply' | 'part' | 'divider' | 'failure' | 'trouble';
}
