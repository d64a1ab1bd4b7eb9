import { MailroomError } from '../errors.ts';

/** An outside command; no shell is involved. */
export interface JobSpec {
  /** A path, or a name looked up in PATH. */
  readonly file: string;
  readonly args: readonly string[];
  /** Where it runs; that of the process that asked first when not given. */
  readonly cwd?: string;
  /** Added to the environment of the host that starts it. */
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads on its standard input; nothing when not given. */
  readonly stdin?: string;
  /** How long one attempt may take, in ms. */
  readonly timeoutMs?: number;
  /** How long it may write nothing, on neither stream, in ms. */
  readonly idleTimeoutMs?: number;
  /** How much it may write on one stream, in bytes, before it is ended; so much of each is in the result. */
  readonly outputBytesMax?: number;
}

/** How a command ended and the ends of what it wrote; all of it stays in the directory of the job. */
export interface CommandResult {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Whether it was ended because it took too long, or wrote nothing for too long. */
  readonly timedOut: boolean;
  /** Which limit it was ended for, when that was not the time it took. */
  readonly limit?: 'idle' | 'output';
  readonly stdout: string;
  readonly stderr: string;
  /** Whether the beginning is missing. */
  readonly stdoutTruncated: boolean;
  readonly stderrTruncated: boolean;
  readonly durationMs: number;
}

/**
 * `not-started`: nothing ran. `lost`: it ran, and nobody knows how far. `cancelled`: somebody ended it.
 * `damaged`: a file of the job makes no sense. `not-ended`: the system does not let its processes be ended.
 */
export type JobFailureReason = 'not-started' | 'lost' | 'cancelled' | 'damaged' | 'not-ended';

/** A job that has no result. Asking again gives the same answer, unless it was that no wrapper could be started. */
export class JobFailed extends MailroomError {
  readonly reason: JobFailureReason;

  constructor(message: string, details: { reason: JobFailureReason; hint?: string; cause?: unknown }) {
    super('COMMAND_FAILED', message, details);
    this.reason = details.reason;
  }
}
