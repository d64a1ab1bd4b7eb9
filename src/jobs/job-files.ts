import { basename, dirname } from 'node:path';
import type { FileSystem } from '../host/file-system.ts';
import type { Host } from '../host/host.ts';
import type { ProcessIdentity, ProcessTree } from '../host/processes.ts';
import { quote } from '../host/shell-word.ts';
import { JobFailed } from './job.ts';
import { publishJson, type Fields, readJson } from '../host/json-file.ts';

/** The growing waits between two polls of a job: a change is noticed within a third of the time waited. */
export const LOOKS = { msMin: 10, msMax: 250, factor: 1.3 };

/** A command line may have 2 MiB on Linux, and JSON escapes make it longer. */
export const JOB_FILE_BYTES_MAX = 8 * 1024 * 1024;

/** Publishes a file of a job, whole and durable. Returns false, and changes nothing, if it exists already. */
export async function publishJobFile(host: Host, path: string, value: object): Promise<boolean> {
  return publishJson(host, { path, value });
}

/**
 * Reads a file of a job; undefined if it does not exist. `parse` returns undefined for invalid fields. Throws JobFailed for an
 * invalid file, because guessing would run a command twice or never.
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
  return new JobFailed(`The job file ${path} is corrupt: ${fault}. Mailroom writes it whole or not at all.`, {
    reason: 'damaged',
    cause,
    hint: `Check that none of its processes is left (ps), then delete it and it runs again: rm -r ${quote(dirname(path))}`,
  });
}

/** The wrapper that an attempt belongs to. */
export interface JobClaim {
  readonly wrapper: ProcessIdentity;
  /** When it was claimed, in ms since the machine booted, so that any process of this boot can tell how long ago. */
  readonly uptimeMs: number;
}

/** Claims the attempt for this process. False if another wrapper has it. */
export async function claimAttempt(host: Host, attempt: Attempt): Promise<boolean> {
  const claim: JobClaim = { wrapper: host.processes.self(), uptimeMs: host.clock.uptimeMs() };
  // At this link the attempt belongs to this process, and every reader of the claim knows it.
  return publishJobFile(host, claimPath(attempt), { v: 1, ...claim });
}

/** The claim of an attempt; undefined if it is not claimed yet. Throws JobFailed for a corrupt file. */
export function readClaim(host: Host, attempt: Attempt): JobClaim | undefined {
  return readJobFile(host.files, claimPath(attempt), ({ v, wrapper, uptimeMs }) =>
    v === 1 && isIdentity(wrapper) && typeof uptimeMs === 'number' ? { wrapper, uptimeMs } : undefined,
  );
}

/** The claimed attempts, in order. */
export function listClaims(host: Host, directory: string): (JobClaim & { readonly attempt: Attempt })[] {
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
  // kill(2) gives 0 a special meaning, and 1 is never a wrapper.
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 1) return false;
  const namespace = 'pidNamespace' in value ? value.pidNamespace : '';
  return [startTime, bootId, namespace].every((one) => typeof one === 'string');
}

/** How an attempt ended. The first published record counts. */
export interface ExitRecord {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  /** The limit for which it was ended, if not the timeout. */
  readonly limit?: 'idle' | 'output';
  /** A host ended it, because its output was sufficient. */
  readonly enough?: true;
  /** Why nothing ran; undefined if the command was started. */
  readonly notStarted?: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly endedAt: string;
  readonly durationMs: number;
  /** Whether only the wrapper was left of its processes, so that no host needs to search for more. */
  readonly swept: boolean;
}

/** Whether it was ended, so that it cannot have left a process on purpose. */
export function wasEnded({ timedOut, limit, enough }: Pick<ExitRecord, 'timedOut' | 'limit' | 'enough'>): boolean {
  return timedOut || limit !== undefined || enough === true;
}

/** Publishes how an attempt ended. False if another record was first. */
export async function publishExit(host: Host, attempt: Attempt, record: ExitRecord): Promise<boolean> {
  // At this link the attempt has ended.
  return publishJobFile(host, exitPath(attempt), { v: 1, ...record });
}

/** The exit of an attempt; undefined if it has not ended. Throws JobFailed for a corrupt file. */
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

/** When the command of a job ended, ms since the epoch; undefined if its last attempt has no exit. Throws JobFailed for a corrupt file. */
export function endedAtMs(host: Host, directory: string): number | undefined {
  const last = listClaims(host, directory).at(-1);
  const exit = last && readExit(host, last.attempt);
  return exit && Date.parse(exit.endedAt);
}

/** No command is started more often than this. */
export const ATTEMPTS_MAX = 5;

/** The variable with the effect id in the command's environment, as its idempotency key. */
export const EFFECT_VARIABLE = 'MAILROOM_EFFECT_ID';
/** The variable in the environment of all processes of an attempt, by which they are found. */
export const JOB_VARIABLE = 'MAILROOM_JOB';

/** One start of a job's command; numbers start at 1. */
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

/** The wrapper of an attempt and everything that it started. */
export function treeOf(attempt: Attempt, wrapper: ProcessIdentity): AttemptTree {
  return { attempt, leader: wrapper, mark: `${JOB_VARIABLE}=${jobVariable(attempt)}` };
}

/** Names the attempt, so that ending a lost attempt never hits the next one. */
function jobVariable({ directory, number }: Attempt): string {
  return `${basename(directory)}/${number}`;
}

/** The variables that the wrapper's environment has besides the host's. */
export function attemptEnvironment(attempt: Attempt): Record<string, string> {
  return { [EFFECT_VARIABLE]: basename(attempt.directory), [JOB_VARIABLE]: jobVariable(attempt) };
}

export function isCancelled(files: FileSystem, directory: string): boolean {
  return files.lstat(cancelledPath(directory)) !== undefined;
}
