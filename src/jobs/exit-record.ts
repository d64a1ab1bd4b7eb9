import type { Host } from '../host/host.ts';
import { publishJobFile, readJobFile } from './job-file.ts';
import { exitPath, type Attempt } from './job-layout.ts';

/** How an attempt ended. The first one that is put up counts. */
export interface ExitRecord {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  /** Which limit it was ended for, when that was not the time it took. */
  readonly limit?: 'idle' | 'output';
  /** Whoever waited for it ended it, because what it had written was all that was needed. */
  readonly enough?: true;
  /** Why nothing ran at all. */
  readonly notStarted?: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly endedAt: string;
  readonly durationMs: number;
  /** Whether nothing but the wrapper was left of it, so that nobody needs to look again. */
  readonly swept: boolean;
}

/** Whether it did not end by itself, so that nothing of it may have been left on purpose. */
export function wasEnded({ timedOut, limit, enough }: Pick<ExitRecord, 'timedOut' | 'limit' | 'enough'>): boolean {
  return timedOut || limit !== undefined || enough === true;
}

/** False when another record was there first. */
export async function publishExit(host: Host, attempt: Attempt, record: ExitRecord): Promise<boolean> {
  // At the link in there the attempt has ended.
  return publishJobFile(host, attempt.directory, exitPath(attempt), { v: 1, ...record });
}

/** Undefined when it has not ended. Throws JobFailed for a file that makes no sense. */
export function readExit(host: Host, attempt: Attempt): ExitRecord | undefined {
  return readJobFile(host.files, exitPath(attempt), (value) => {
    const { v, exitCode, signal, timedOut, limit, enough, notStarted } = value;
    const { startedAt, endedAt, durationMs, swept } = value;
    if (v !== 1 || typeof timedOut !== 'boolean' || typeof swept !== 'boolean') return undefined;
    if (exitCode !== null && typeof exitCode !== 'number') return undefined;
    if (signal !== null && typeof signal !== 'string') return undefined;
    if (typeof startedAt !== 'string' || typeof endedAt !== 'string' || typeof durationMs !== 'number')
      return undefined;
    if (limit !== undefined && !isLimit(limit)) return undefined;
    const ended = { exitCode, signal, timedOut, startedAt, endedAt, durationMs, swept };
    const why = { ...(limit === undefined ? {} : { limit }), ...(enough === true ? { enough: true as const } : {}) };
    const known = { ...ended, ...why };
    if (notStarted === undefined) return known;
    return typeof notStarted === 'string' ? { ...known, notStarted } : undefined;
  });
}

const isLimit = (value: unknown): value is 'idle' | 'output' => value === 'idle' || value === 'output';
