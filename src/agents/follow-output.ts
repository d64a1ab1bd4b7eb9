import { constants } from 'node:fs';
import { errnoOf } from '../host/file-system.ts';
import type { Host } from '../host/host.ts';
import type { ExitWatch } from '../jobs/await-exit.ts';
import { outputPath, type Attempt } from '../jobs/job-files.ts';
import { OutputReader, type ReadRules, type ProgramOutput } from './read-output.ts';

const LEAVE_MS = 5_000;
const PIECE_BYTES = 256 * 1024;
const OPEN_READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Reads what a finished attempt wrote to stdout. */
export function readAttempt(host: Host, attempt: Attempt, rules: ReadRules): ProgramOutput {
  const followed = new FollowedOutput(host, attempt, rules);
  followed.readOn();
  return followed.reader.end();
}

/**
 * Ends a command that is no longer needed: its turn is over but it does not exit within `leaveMs`, it reports a failure that
 * no retry can fix, or it makes no progress for `idleMs`. A command whose process was lost counts as answered if its output
 * says so.
 */
export function createWatch(
  host: Host,
  { rules, idleMs, leaveMs = LEAVE_MS }: { rules: ReadRules; idleMs: number | undefined; leaveMs: number | undefined },
): ExitWatch {
  let followed: FollowedOutput | undefined;
  let progressMs = 0;
  let endedMs: number | undefined;
  return (attempt, isRunning) => {
    const nowMs = host.clock.uptimeMs();
    if (followed?.attempt.number !== attempt.number) {
      followed = new FollowedOutput(host, attempt, rules);
      progressMs = nowMs;
      endedMs = undefined;
    }
    const { reader } = followed;
    const before = reader.soFar().progress;
    followed.readOn();
    if (!isRunning) return isConclusive(reader.end()) ? 'enough' : undefined;
    const { progress, final, isEnded } = reader.soFar();
    if (progress !== before) progressMs = nowMs;
    endedMs = isEnded ? (endedMs ?? nowMs) : undefined;
    if (final || (endedMs !== undefined && nowMs - endedMs >= leaveMs)) return 'enough';
    return idleMs !== undefined && !isEnded && nowMs - progressMs >= idleMs ? 'idle' : undefined;
  };
}

/** Whether running the same command again would only cost again, or fail again. */
export function isConclusive({ isEnded, final }: ProgramOutput): boolean {
  return isEnded || final !== undefined;
}

/** Reads a growing file; each read costs only what is new. */
class FollowedOutput {
  readonly attempt: Attempt;
  readonly reader: OutputReader;
  readonly #host: Host;
  #position = 0;

  constructor(host: Host, attempt: Attempt, rules: ReadRules) {
    this.#host = host;
    this.attempt = attempt;
    this.reader = new OutputReader(rules);
  }

  readOn(): void {
    const { files } = this.#host;
    let fd: number;
    try {
      fd = files.open(outputPath(this.attempt, 'stdout'), OPEN_READ);
    } catch (error) {
      // The wrapper has not opened it yet.
      if (errnoOf(error) === 'ENOENT') return;
      throw error;
    }
    try {
      for (;;) {
        const left = files.fstat(fd).size - this.#position;
        const piece = Buffer.allocUnsafe(Math.min(Math.max(left, 0), PIECE_BYTES));
        const count = piece.length === 0 ? 0 : files.read(fd, piece, 0, piece.length, this.#position);
        if (count === 0) return;
        this.#position += count;
        this.reader.write(piece.subarray(0, count));
      }
    } finally {
      files.close(fd);
    }
  }
}
