import { constants } from 'node:fs';
import { errnoOf, type FileSystem } from '../host/file-system.ts';
import { type Attempt, type ExitRecord, outputPath } from './job-files.ts';
import { type CommandResult, JobFailed } from './job.ts';

/** Default limit of each stream in a result, in bytes of UTF-8. */
const OUTPUT_BYTES_MAX = 256 * 1024;

/** The result of an ended attempt. Throws JobFailed if nothing ran, or the output is missing. */
export function resultOf(
  files: FileSystem,
  attempt: Attempt,
  { exit, outputBytesMax = OUTPUT_BYTES_MAX }: { exit: ExitRecord; outputBytesMax: number | undefined },
): CommandResult {
  if (exit.notStarted !== undefined) {
    throw new JobFailed(exit.notStarted, { reason: 'not-started', hint: 'Correct the command, or install it.' });
  }
  const stdout = readTail(files, outputPath(attempt, 'stdout'), outputBytesMax);
  const stderr = readTail(files, outputPath(attempt, 'stderr'), outputBytesMax);
  return {
    exitCode: exit.exitCode,
    signal: exit.signal,
    timedOut: exit.timedOut,
    ...(exit.limit === undefined ? {} : { limit: exit.limit }),
    stdout: stdout.text,
    stderr: stderr.text,
    stdoutTruncated: stdout.isTruncated,
    stderrTruncated: stderr.isTruncated,
    durationMs: exit.durationMs,
  };
}

interface Tail {
  readonly text: string;
  readonly isTruncated: boolean;
}

function readTail(files: FileSystem, path: string, bytesMax: number): Tail {
  let fd: number;
  try {
    fd = files.open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    throw unreadable(path, errnoOf(cause) ?? String(cause), cause);
  }
  try {
    const { kind, size } = files.fstat(fd);
    if (kind !== 'file') throw unreadable(path, `it is not a regular file (${kind})`);
    const start = Math.max(0, size - bytesMax);
    const bytes = Buffer.allocUnsafe(size - start);
    let length = 0;
    while (length < bytes.length) {
      const count = files.read(fd, bytes, length, bytes.length - length, start + length);
      if (count === 0) break;
      length += count;
    }
    return tailOf(bytes.subarray(0, length), { isTruncated: start > 0, bytesMax });
  } finally {
    files.close(fd);
  }
}

/** Text of at most `bytesMax` bytes; invalid UTF-8 becomes U+FFFD, which is longer than the bytes that it replaces. */
function tailOf(bytes: Buffer, { isTruncated, bytesMax }: { isTruncated: boolean; bytesMax: number }): Tail {
  const text = (isTruncated ? fromBoundary(bytes) : bytes).toString('utf8');
  if (Buffer.byteLength(text) <= bytesMax) return { text, isTruncated };
  return { text: fromBoundary(Buffer.from(text).subarray(-bytesMax)).toString('utf8'), isTruncated: true };
}

/** Drops the rest of a character whose beginning was cut off. */
function fromBoundary(bytes: Buffer): Buffer {
  let start = 0;
  while (start < CONTINUATION_BYTES_MAX && isContinuation(bytes[start])) start += 1;
  return bytes.subarray(start);
}

const CONTINUATION_BYTES_MAX = 3;
const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;

function unreadable(path: string, fault: string, cause?: unknown): JobFailed {
  return new JobFailed(`The command ended, but its output ${path} cannot be read: ${fault}.`, {
    reason: 'damaged',
    cause,
    hint: 'Something removed or replaced it: check the directory of the job.',
  });
}
