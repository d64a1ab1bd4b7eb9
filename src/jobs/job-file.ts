import { dirname } from 'node:path';
import { errnoOf, type FileSystem } from '../host/file-system.ts';
import { publishFile, readBounded, stagedPath } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { quote } from '../host/shell-word.ts';
import { JobFailed } from './job-failed.ts';

/** A command line may have 2 MiB on Linux, and JSON makes it longer. */
export const JOB_FILE_BYTES_MAX = 8 * 1024 * 1024;

/** Puts up a file of a job, whole and on the disk; false, and nothing changed, when it exists already. */
export async function publishJobFile(host: Host, directory: string, path: string, value: unknown): Promise<boolean> {
  const staged = stagedPath(directory, host.randomBytes);
  const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
  return publishFile(host.files, { path, staged, bytes, mode: 0o600, durable: true });
}

/**
 * Reads a file of a job; undefined when it is not there. `parse` returns undefined for what it does not understand: then,
 * and when it is no JSON, throws JobFailed, because guessing would run a command twice or never.
 */
export function readJobFile<T>(
  files: FileSystem,
  path: string,
  parse: (value: Record<string, unknown>) => T | undefined,
): T | undefined {
  let read: ReturnType<typeof readBounded>;
  try {
    read = readBounded(files, path, JOB_FILE_BYTES_MAX);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  if ('unreadable' in read) throw damaged(path, read.unreadable);
  let value: unknown;
  try {
    value = JSON.parse(read.bytes.toString('utf8'));
  } catch (cause) {
    throw damaged(path, `it is no JSON (${read.bytes.length} bytes)`, cause);
  }
  const parsed = typeof value === 'object' && value !== null ? parse(value as Record<string, unknown>) : undefined;
  if (parsed === undefined) throw damaged(path, 'it is JSON, but not what belongs there');
  return parsed;
}

function damaged(path: string, fault: string, cause?: unknown): JobFailed {
  return new JobFailed(`The job file ${path} cannot be believed: ${fault}. Mailroom writes it whole or not at all.`, {
    reason: 'damaged',
    cause,
    hint: `See that none of its processes is left (ps), then have it run anew: rm -r ${quote(dirname(path))}`,
  });
}
