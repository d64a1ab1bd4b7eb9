/** Which process a fact on disk speaks of, so that a reused pid is never mistaken for the one that was meant. */
export interface ProcessIdentity {
  readonly pid: number;
  /**
   * When the process started, in the form of its system: clock ticks since boot on Linux (proc(5), field 22), a time in UTC on macOS.
   * Only compared; '' where the system does not tell.
   */
  readonly startTime: string;
  /** The kernel's id of this boot; '' where the system does not tell. */
  readonly bootId: string;
  /**
   * The number of its PID namespace (pid_namespaces(7)), in which alone its pid means something; not there where the system
   * does not tell, or an older version wrote it down.
   */
  readonly pidNamespace?: string;
}

export function isSameProcess(a: ProcessIdentity, b: ProcessIdentity): boolean {
  const isSamePlace = a.bootId === b.bootId && a.pidNamespace === b.pidNamespace;
  return isSamePlace && a.pid === b.pid && a.startTime === b.startTime;
}

export interface RunResult {
  readonly exitCode: number | undefined;
  readonly stdout: string;
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
  /** It was killed because it took too long. */
  readonly isTimedOut: boolean;
  /** The end of what it wrote to stderr. */
  readonly stderr: string;
}

/** A Node program that is sent one message after another, JSON values, and answers each by one. */
export interface Responder {
  /** Resolves with the answer, or with how the program ended; it is killed after `timeoutMs`. Not while another is asked. */
  ask(
    message: unknown,
    options: { timeoutMs: number },
  ): Promise<{ readonly answer: unknown } | { readonly died: Died }>;
  /** Lets it end, and resolves when it has. */
  close(): Promise<void>;
}

/** A program that was started with `startSession`, and what it started in turn. */
export interface ProcessTree {
  /** Its first process, which leads a session. */
  readonly leader: ProcessIdentity;
  /** `NAME=value` in the environment that it was started with, and which no other tree was. */
  readonly mark: string;
}

export interface TreeSignal {
  /** None only counts. */
  readonly signal?: 'SIGTERM' | 'SIGKILL';
  /** The session of the leader, or also those that left it and have its mark. Where the system tells nothing, only its group. */
  readonly scope: 'session' | 'marked';
}

/** The children that are started here get the environment that `childEnvironment` describes. */
export interface Processes {
  /** The user this process runs as; undefined where the system has no such numbers. */
  userId(): number | undefined;
  /** This process. */
  self(): ProcessIdentity;
  /** The process that the session (terminal) of this one belongs to, or else its parent: who stays when a command ends. */
  sessionLeader(): ProcessIdentity;
  /** Ends this process at once, with the exit code that was set or else 0, whatever it is waiting for. */
  end(): never;
  /** The process that started this one. */
  parent(): ProcessIdentity;
  identify(pid: number): ProcessIdentity | undefined;
  /** Whether that very process, not another with its pid, is running; of one that is elsewhere nobody knows, and it is false. */
  isAlive(identity: ProcessIdentity): boolean;
  /**
   * Whether it belongs to another PID namespace of this boot, as in another container: its pid is somebody else's here, so only
   * a sign that it gives itself tells whether it runs, and it is never signalled.
   */
  isElsewhere(identity: ProcessIdentity): boolean;
  /**
   * Whether a process of this program's name works in this directory, and none of these words is in its command line. False
   * where the system does not tell.
   */
  worksIn(directory: string, options: { name: string; without: readonly string[] }): boolean;
  /** Why start times, sessions and process trees cannot be told here, as a clause for people; undefined where they can. */
  whyBlind(): string | undefined;
  /** Runs a program to its end, no shell, killed after `timeoutMs`; never rejects. */
  run(file: string, args: readonly string[], options: { timeoutMs: number }): Promise<RunResult>;
  /** Starts a Node program that listens to `process.on('message')`; its stdout is dropped. */
  startResponder(program: string, options: { nodeArgs: readonly string[] }): Promise<Responder>;
  /** Starts a program that outlives this process and whose output nobody reads; never throws. */
  startDetached(file: string, args: readonly string[]): void;
  /**
   * Starts a program that outlives this process, as the leader of a session of its own; `env` is added to its
   * environment, its stderr an open descriptor. Rejects with the system's error.
   */
  startSession(
    file: string,
    args: readonly string[],
    options: { cwd: string; env: Readonly<Record<string, string>>; stderr: number },
  ): Promise<ProcessIdentity>;
  /**
   * Runs a program in the session of this process until it ends; `env` is added to its environment, its input an
   * open descriptor or empty, its output goes to open descriptors. Rejects with the system's error when it cannot be started.
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
   * Sends a signal to every process of a tree but this one, and returns how many there were; never throws. Of a tree that is
   * elsewhere it finds none. Where the system tells nothing of other processes,
   * a leader that asks for its own tree is ignored but for SIGTERM, which it gets as well, and is told undefined.
   */
  signalTree(tree: ProcessTree, options: TreeSignal): number | undefined;
}
