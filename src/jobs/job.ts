/** An outside command; no shell is involved. */
export interface JobSpec {
  /** A path, or a name looked up in PATH. */
  readonly file: string;
  readonly args: readonly string[];
  /** Where it runs; that of the process that asked first when not given. */
  readonly cwd?: string;
  /** Added to the environment of the host that starts it. */
  readonly env?: Readonly<Record<string, string>>;
  /** How long one attempt may take, in ms. */
  readonly timeoutMs?: number;
}

/** How a command ended and the ends of what it wrote; all of it stays in the directory of the job. */
export interface CommandResult {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether the beginning is missing. */
  readonly stdoutTruncated: boolean;
  readonly stderrTruncated: boolean;
  readonly durationMs: number;
}
