/** Which process a fact on disk speaks of, so that a reused pid is never mistaken for the one that was meant. */
export interface ProcessIdentity {
  readonly pid: number;
  /** The kernel's start time of the process in clock ticks since boot (proc(5), field 22); '' where the system does not tell. */
  readonly startTime: string;
  /** The kernel's id of this boot; '' where the system does not tell. */
  readonly bootId: string;
}

export interface RunResult {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Processes {
  /** The user this process runs as; undefined where the system has no such numbers. */
  userId(): number | undefined;
  /** This process. */
  self(): ProcessIdentity;
  /** The process that the session (terminal) of this one belongs to, or else its parent: who stays when a command ends. */
  sessionLeader(): ProcessIdentity;
  identify(pid: number): ProcessIdentity | undefined;
  /** Whether that very process, not another with its pid, is running. */
  isAlive(identity: ProcessIdentity): boolean;
  /** Runs a program to its end, no shell, killed after `timeoutMs`; never rejects. */
  run(file: string, args: readonly string[], options: { timeoutMs: number }): Promise<RunResult>;
  /** Starts a program that outlives this process and whose output nobody reads; never throws. */
  startDetached(file: string, args: readonly string[]): void;
}
