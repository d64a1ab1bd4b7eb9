import { MailroomError } from '../errors.ts';

/** A command that runs without a shell. */
export interface JobSpec {
  /** A path, or a name that is looked up in `PATH`. */
  readonly file: string;
  /** The arguments. */
  readonly args: readonly string[];
  /** The working directory. Default: that of the first host that asks for the command. */
  readonly cwd?: string;
  /** Added to the environment of the host that starts the command. Default: none. */
  readonly env?: Readonly<Record<string, string>>;
  /** What the command reads on its standard input. Default: nothing. */
  readonly stdin?: string;
  /** How long one attempt may take, in ms. Default: no limit. */
  readonly timeoutMs?: number;
  /** How long the command may write nothing to either stream, in ms. Default: no limit. */
  readonly idleTimeoutMs?: number;
  /** How much the command may write to one stream before it is ended, in bytes; also how much of each is in the result. Default: no limit, with the last 256 KiB in the result. */
  readonly outputBytesMax?: number;
}

/** How a command ended, and the end of what it wrote. The job's directory keeps the whole output. */
export interface CommandResult {
  /** Null if a signal ended the command. */
  readonly exitCode: number | null;
  /** The signal that ended the command, such as `SIGTERM`; null if it exited. */
  readonly signal: string | null;
  /** Whether the command was ended for `timeoutMs` or `idleTimeoutMs`. */
  readonly timedOut: boolean;
  /** Which limit ended the command, if not `timeoutMs`. */
  readonly limit?: 'idle' | 'output';
  /** The end of the standard output. */
  readonly stdout: string;
  /** The end of the standard error. */
  readonly stderr: string;
  /** Whether the beginning of `stdout` is missing. */
  readonly stdoutTruncated: boolean;
  /** Whether the beginning of `stderr` is missing. */
  readonly stderrTruncated: boolean;
  /** How long the command ran, in ms. */
  readonly durationMs: number;
}

/**
 * `not-started`: nothing ran. `lost`: it ran, but how far is not known. `cancelled`: it was cancelled.
 * `damaged`: a file of the job is corrupt. `not-ended`: its processes cannot be ended.
 */
export type JobFailureReason = 'not-started' | 'lost' | 'cancelled' | 'damaged' | 'not-ended';

/** A job without a result. A retry fails in the same way, unless the cause was that no wrapper could be started. */
export class JobFailed extends MailroomError {
  readonly reason: JobFailureReason;

  constructor(message: string, details: { reason: JobFailureReason; hint?: string; cause?: unknown }) {
    super('COMMAND_FAILED', message, details);
    this.reason = details.reason;
  }
}
