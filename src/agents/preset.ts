/**
 * What is known of a model's command line: facts about a program of others. Each fact that can change with a release names
 * the version in which it was seen (`seenIn`).
 */
export interface Preset {
  /** The program, found in PATH. */
  readonly file: string;
  /**
   * Its arguments. `{args}` stands for what the user adds, `{session}` for the session's id, `{prompt}` for a file with the
   * prompt and `{history}` for a file that belongs to the thread.
   */
  readonly begin: readonly string[];
  /** Its arguments when a session is resumed; none when it knows no sessions by id. */
  readonly resume?: readonly string[];
  /** Where it reads the prompt. */
  readonly prompt: 'stdin' | 'file';
  readonly output: OutputRules;
  /** How long it may make no progress, in ms. Only programs that report their progress have a limit. */
  readonly idleMs?: number;
  /** What it acts on inside a prompt before the model sees it. */
  readonly expands?: readonly Expansion[];
  /** Reports after which another try fails as well. The first that fits counts. */
  readonly finalFailures: readonly FinalFailure[];
  /** How it reports that the session it was to resume does not exist. */
  readonly lostSession?: RegExp;
  /** What makes it run in a directory it does not trust; given only for a directory that the user named. */
  readonly trust?: FlagFact;
  /** What makes it edit files without asking; never given by Mailroom itself. */
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

export interface FlagFact {
  readonly args: readonly [string, ...string[]];
  /** Options that have the same effect, so that none of them is missing when one is given. */
  readonly others: readonly string[];
  readonly seenIn: string;
}

/** What has to be added to the words of a command line so that the flag is set; nothing where the user sets it. */
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
