import type { Host } from '../host/host.ts';
import { publishJobFile, readJobFile } from './job-file.ts';
import { exitPath, type Attempt } from './job-layout.ts';

/** How an attempt ended. The first one that is put up counts. */
export interface ExitRecord {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  /** Why nothing ran at all. */
  readonly notStarted?: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly endedAt: string;
  readonly durationMs: number;
  /** Whether nothing but the wrapper was left of it, so that nobody needs to look again. */
  readonly swept: boolean;
}

/** False when another record was there first. */
export async function publishExit(host: Host, attempt: Attempt, record: ExitRecord): Promise<boolean> {
  // At the link in there the attempt has ended.
  return publishJobFile(host, attempt.directory, exitPath(attempt), { v: 1, ...record });
}

/** Undefined when it has not ended. Throws JobFailed for a file that makes no sense. */
export function readExit(host: Host, attempt: Attempt): ExitRecord | undefined {
  return readJobFile(host.files, exitPath(attempt), (value) => {
    const { v, exitCode, signal, timedOut, notStarted, startedAt, endedAt, durationMs, swept } = value;
    if (v !== 1 || typeof timedOut !== 'boolean' || typeof swept !== 'boolean') return undefined;
    if (exitCode !== null && typeof exitCode !== 'number') return undefined;
    if (signal !== null && typeof signal !== 'string') return undefined;
    if (typeof startedAt !== 'string' || typeof endedAt !== 'string' || typeof durationMs !== 'number')
      return undefined;
    const known = { exitCode, signal, timedOut, startedAt, endedAt, durationMs, swept };
    if (notStarted === undefined) return known;
    return typeof notStarted === 'string' ? { ...known, notStarted } : undefined;
  });
}
