import { basename, dirname } from 'node:path';
import type { FileSystem } from '../host/file-system.ts';
import type { Host } from '../host/host.ts';
import type { ProcessIdentity, ProcessTree } from '../host/processes.ts';
import { quote } from '../host/shell-word.ts';
import { JobFailed } from './job.ts';
import { publishJson, type Fields, readJson } from '../host/json-file.ts';

/** The waits between two looks at a job: finding out late costs at most a third of what was waited for. */
export const LOOKS = { msMin: 10, msMax: 250, factor: 1.3 };

/** A command line may have 2 MiB on Linux, and JSON makes it longer. */
export const JOB_FILE_BYTES_MAX = 8 * 1024 * 1024;

/** Puts up a file of a job, whole and on the disk; false, and nothing changed, when it exists already. */
export async function publishJobFile(host: Host, path: string, value: object): Promise<boolean> {
  return publishJson(host, { path, value });
}

/**
 * Reads a file of a job; undefined when it is not there. `parse` returns undefined for what it does not understand: then,
 * and when it is no JSON, throws JobFailed, because guessing would run a command twice or never.
 */
export function readJobFile<T>(
  files: FileSystem,
  path: string,
  parse: (value: Fields) => T | undefined,
): T | undefined {
  const read = readJson(files, path, JOB_FILE_BYTES_MAX);
  if (read === undefined) return undefined;
  if ('fault' in read) throw damaged(path, read.fault, read.cause);
  const parsed = parse(read.fields);
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

/** Which wrapper an attempt belongs to. */
export interface Claim {
  readonly wrapper: ProcessIdentity;
  /** Ms since the machine started, so that any process of this boot can tell how long it has been. */
  readonly uptimeMs: number;
}

/** Whether the attempt belongs to this process from now on; false when it is another's. */
export async function claimAttempt(host: Host, attempt: Attempt): Promise<boolean> {
  const claim: Claim = { wrapper: host.processes.self(), uptimeMs: host.clock.uptimeMs() };
  // At the link in there the attempt is this process's, and whoever finds the claim knows whose it is.
  return publishJobFile(host, claimPath(attempt), { v: 1, ...claim });
}

/** Undefined when nobody has claimed it yet. Throws JobFailed for a file that makes no sense. */
export function readClaim(host: Host, attempt: Attempt): Claim | undefined {
  return readJobFile(host.files, claimPath(attempt), ({ v, wrapper, uptimeMs }) =>
    v === 1 && isIdentity(wrapper) && typeof uptimeMs === 'number' ? { wrapper, uptimeMs } : undefined,
  );
}

/** The attempts that were claimed, in order. */
export function listClaims(host: Host, directory: string): (Claim & { readonly attempt: Attempt })[] {
  const claims = [];
  for (let number = 1; number <= ATTEMPTS_MAX; number++) {
    const attempt = { directory, number };
    const claim = readClaim(host, attempt);
    if (!claim) break;
    claims.push({ ...claim, attempt });
  }
  return claims;
}

function isIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== 'object' || value === null) return false;
  if (!('pid' in value) || !('startTime' in value) || !('bootId' in value)) return false;
  const { pid, startTime, bootId } = value;
  // 0 and 1 would mean other things to kill(2) than a process of ours.
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 1) return false;
  const namespace = 'pidNamespace' in value ? value.pidNamespace : '';
  return [startTime, bootId, namespace].every((one) => typeof one === 'string');
}

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
  return publishJobFile(host, exitPath(attempt), { v: 1, ...record });
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

/** When the command of a job ended, ms since the epoch; undefined while none of its attempts says so. Throws JobFailed. */
export function endedAtMs(host: Host, directory: string): number | undefined {
  const last = listClaims(host, directory).at(-1);
  const exit = last && readExit(host, last.attempt);
  return exit && Date.parse(exit.endedAt);
}

/** No command is started more often than this, whoever asks. */
export const ATTEMPTS_MAX = 5;

/** In the environment of the command: the effect id, for a command that can tell what it did already. */
export const EFFECT_VARIABLE = 'MAILROOM_EFFECT_ID';
/** In the environment of all that an attempt starts: by it they are found. */
export const JOB_VARIABLE = 'MAILROOM_JOB';

/** One of the times that a job's command is started; the first is 1. */
export interface Attempt {
  readonly directory: string;
  readonly number: number;
}

export const specPath = (directory: string): string => `${directory}/spec.json`;
export const cancelledPath = (directory: string): string => `${directory}/cancelled.json`;
export const wrapperErrorsPath = (directory: string): string => `${directory}/wrapper.stderr`;
export const claimPath = ({ directory, number }: Attempt): string => `${directory}/${number}.process.json`;
const exitPath = ({ directory, number }: Attempt): string => `${directory}/${number}.exit.json`;
export const inputPath = ({ directory, number }: Attempt): string => `${directory}/${number}.stdin`;
export const outputPath = ({ directory, number }: Attempt, stream: 'stdout' | 'stderr'): string =>
  `${directory}/${number}.${stream}`;

/** The processes of an attempt. */
export interface AttemptTree extends ProcessTree {
  readonly attempt: Attempt;
}

/** The wrapper and everything that it started. */
export function treeOf(attempt: Attempt, wrapper: ProcessIdentity): AttemptTree {
  return { attempt, leader: wrapper, mark: `${JOB_VARIABLE}=${jobVariable(attempt)}` };
}

/** Names the attempt, so that ending one that was lost never hits the next. */
function jobVariable({ directory, number }: Attempt): string {
  return `${basename(directory)}/${number}`;
}

/** What the wrapper's environment has beyond the host's. */
export function attemptEnvironment(attempt: Attempt): Record<string, string> {
  return { [EFFECT_VARIABLE]: basename(attempt.directory), [JOB_VARIABLE]: jobVariable(attempt) };
}

export function isCancelled(files: FileSystem, directory: string): boolean {
  return files.lstat(cancelledPath(directory)) !== undefined;
}
