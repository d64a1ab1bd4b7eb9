/** Identifies a process beyond its pid, so that a reused pid is never taken for it. */
export interface ProcessIdentity {
  /** The process id. */
  readonly pid: number;
  /**
   * When the process started, in a form of its system: clock ticks since boot on Linux (proc(5), field 22), a time in UTC on macOS.
   * Only compared. Empty if unknown.
   */
  readonly startTime: string;
  /** The kernel's id of this boot. Empty if unknown. */
  readonly bootId: string;
  /**
   * The number of the process's PID namespace (pid_namespaces(7)), in which alone the pid has a meaning. Missing if unknown, or if
   * written by an older version.
   */
  readonly pidNamespace?: string;
}

export function isSameProcess(a: ProcessIdentity, b: ProcessIdentity): boolean {
  const isSamePlace = a.bootId === b.bootId && a.pidNamespace === b.pidNamespace;
  return isSamePlace && a.pid === b.pid && a.startTime === b.startTime;
}

/** How a program that `Processes.run` started ended. */
export interface RunResult {
  /** Undefined if the program could not be started, or a signal ended it. */
  readonly exitCode: number | undefined;
  /** What the program wrote to its standard output. */
  readonly stdout: string;
  /** What the program wrote to its standard error. */
  readonly stderr: string;
}

/** How a command ended: one of the two is null. */
export interface CommandEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** How a program that answers messages ended instead of answering. */
export interface Died {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Whether it was killed because of the timeout. */
  readonly isTimedOut: boolean;
  /** The end of its stderr. */
  readonly stderr: string;
}

/** A Node program that gets one message after another, JSON values, and answers each with one. */
export interface Responder {
  /**
   * Resolves with the answer, or with how the program ended; it is killed after `timeoutMs`. One question at a time.
   */
  ask(
    message: unknown,
    options: { timeoutMs: number },
  ): Promise<{ readonly answer: unknown } | { readonly died: Died }>;
  /** Lets it end; resolves once it has. */
  close(): Promise<void>;
}

/** A program that was started with `startSession`, and every process it started in turn. */
export interface ProcessTree {
  /** Its first process, which leads a session. */
  readonly leader: ProcessIdentity;
  /** `NAME=value` in the environment it was started with, unique to this tree. */
  readonly mark: string;
}

export interface TreeSignal {
  /** Default: none, only counts. */
  readonly signal?: 'SIGTERM' | 'SIGKILL';
  /**
   * The leader's session, or also the processes that left it and have its mark. If the system tells nothing, only its
   * group.
   */
  readonly scope: 'session' | 'marked';
}

/** The port to processes. Children get the environment that `childEnvironment` describes. */
export interface Processes {
  /** The id of the user that this process runs as; undefined where the system has no such ids. */
  userId(): number | undefined;
  /** This process. */
  self(): ProcessIdentity;
  /** The leader of this process's session (its terminal), or else its parent: the process that stays when a command ends. */
  sessionLeader(): ProcessIdentity;
  /** Ends this process at once, with the exit code that was set or else 0. */
  end(): never;
  /** The process that started this one. */
  parent(): ProcessIdentity;
  /** The identity of the process that has this pid now; undefined if none has it. */
  identify(pid: number): ProcessIdentity | undefined;
  /** Whether this very process is running, not another one with its pid. False for a process elsewhere. */
  isAlive(identity: ProcessIdentity): boolean;
  /**
   * Whether the process belongs to another PID namespace of this boot, such as another container. Its pid has no meaning here, so
   * only its own signs of life tell whether it runs, and it is never signalled.
   */
  isElsewhere(identity: ProcessIdentity): boolean;
  /**
   * Whether a process of this program's name, with none of these words in its command line, works in this directory. False if
   * unknown.
   */
  worksIn(directory: string, options: { name: string; without: readonly string[] }): boolean;
  /** Why start times, sessions and process trees are unknown on this system, as a clause for people; undefined where they are known. */
  whyBlind(): string | undefined;
  /** Runs a program to its end, without a shell, and kills it after `timeoutMs`. Never rejects. */
  run(file: string, args: readonly string[], options: { timeoutMs: number }): Promise<RunResult>;
  /** Starts a Node program that listens to `process.on('message')`. Its stdout is dropped. */
  startResponder(program: string, options: { nodeArgs: readonly string[] }): Promise<Responder>;
  /** Starts a program that outlives this process; its output is dropped. Never throws. */
  startDetached(file: string, args: readonly string[]): void;
  /**
   * Starts a program that outlives this process, as the leader of its own session. `env` is added to its environment, and
   * `stderr` is an open descriptor. Rejects with the system's error.
   */
  startSession(
    file: string,
    args: readonly string[],
    options: { cwd: string; env: Readonly<Record<string, string>>; stderr: number },
  ): Promise<ProcessIdentity>;
  /**
   * Runs a program in the session of this process until it ends. `env` is added to its environment; input and outputs are open
   * descriptors, and the input can be empty. Rejects with the system's error if the program cannot be started.
   */
  runInto(
    file: string,
    args: readonly string[],
    options: {
      cwd: string;
      env: Readonly<Record<string, string>>;
      stdin?: number | undefined;
      stdout: number;
      stderr: number;
    },
  ): Promise<CommandEnd>;
  /**
   * Signals every process of a tree except this one, and returns how many there were; 0 for a tree elsewhere. Never throws.
   * Where processes cannot be listed, the result is undefined, and a leader that signals its own tree gets SIGTERM as well and
   * no other signal.
   */
  signalTree(tree: ProcessTree, options: TreeSignal): number | undefined;
}
