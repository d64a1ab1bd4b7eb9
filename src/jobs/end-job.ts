import {
  type Claim,
  cancelledPath,
  listClaims,
  publishJobFile,
  readExit,
  treeOf,
  wasEnded,
  type Attempt,
  type ExitRecord,
  outputPath,
  publishExit,
} from './job-files.ts';
import { dirname } from 'node:path';
import { Conflict } from '../errors.ts';
import { errnoOf, type FileSystem } from '../host/file-system.ts';
import { namesIn, syncFile } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { assertEnded, GRACE_MS } from './end-tree.ts';
import { isWrapperThere } from './sign-of-life.ts';

const REMOVED_PREFIX = '.removed-';

/**
 * Deletes the directory of a job that has ended; nothing happens where there is none. Throws Conflict while a process of
 * it is there.
 */
export function removeJob(host: Host, directory: string): void {
  const { files } = host;
  if (files.lstat(directory) === undefined) return;
  for (const { attempt, wrapper } of listClaims(host, directory)) {
    const isAlive = isWrapperThere(host, attempt, wrapper);
    if (!isAlive && readExit(host, attempt)?.swept) continue;
    const left = host.processes.signalTree(treeOf(attempt, wrapper), { scope: 'session' });
    if (!isAlive && left === 0) continue;
    throw new Conflict(`The job ${directory} is running (session ${wrapper.pid}).`, { hint: 'Cancel it first.' });
  }
  const parent = dirname(directory);
  // At this rename the job is gone: a wrapper that comes late cannot claim what was already deleted in part.
  rename(files, directory, `${parent}/${REMOVED_PREFIX}${host.randomBytes(8).toString('hex')}`);
  sweepRemoved(host, parent);
}

/** Deletes what is left of jobs that were being removed by somebody who was killed then. */
export function sweepRemoved({ files }: Host, jobsDirectory: string): void {
  for (const name of namesIn(files, jobsDirectory))
    if (name.startsWith(REMOVED_PREFIX)) removeTree(files, `${jobsDirectory}/${name}`);
}

/** The names (effect ids) of the jobs in a directory; none when it is not there. */
export function listJobs(host: Host, jobsDirectory: string): string[] {
  return namesIn(host.files, jobsDirectory)
    .filter((name) => !name.startsWith('.') && host.files.lstat(`${jobsDirectory}/${name}`)?.kind === 'directory')
    .sort();
}

function rename(files: FileSystem, from: string, to: string): void {
  unlessGone(() => files.rename(from, to));
}

function removeTree(files: FileSystem, path: string): void {
  if (files.lstat(path)?.kind !== 'directory') {
    unlessGone(() => files.unlink(path));
    return;
  }
  for (const name of namesIn(files, path)) removeTree(files, `${path}/${name}`);
  unlessGone(() => files.rmdir(path));
}

/** Several may remove at once. */
function unlessGone<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Ends a job and everything it started, whoever started it; resolves when none of its processes is left, and no host
 * starts it again. SIGTERM first, SIGKILL after GRACE_MS. Nothing happens where there is no job. Rejects with JobFailed
 * when its processes cannot be ended, or a damaged file does not tell which they are.
 */
export async function cancelJob(host: Host, directory: string): Promise<void> {
  if (host.files.lstat(directory) === undefined) return;
  try {
    // Before the look: a wrapper that claims after it finds this, and one that claimed before it is found.
    await publishJobFile(host, cancelledPath(directory), {
      v: 1,
      at: new Date(host.clock.now()).toISOString(),
    });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' && host.files.lstat(directory) === undefined) return;
    throw error;
  }
  for (const { attempt, wrapper } of listClaims(host, directory)) {
    const isAlive = isWrapperThere(host, attempt, wrapper);
    const exit = readExit(host, attempt);
    if (exit?.swept && !isAlive) continue;
    // A command that ended by itself may have left a daemon on purpose.
    const scope = exit && !wasEnded(exit) ? 'session' : 'marked';
    await assertEnded(host, treeOf(attempt, wrapper), { scope, graceMs: GRACE_MS });
  }
}

/**
 * Ends a job whose output is all that was needed: it counts as ended, and nothing of it is left. An end that came first
 * stays what it was; nothing happens where nothing was claimed.
 */
export async function concludeJob(host: Host, directory: string): Promise<void> {
  const last = listClaims(host, directory).at(-1);
  if (!last || readExit(host, last.attempt)) return;
  const { attempt, ...claim } = last;
  await publishInPlace(host, attempt, { claim, end: { enough: true } });
  await assertEnded(host, treeOf(attempt, claim.wrapper), { scope: 'marked', graceMs: GRACE_MS });
}

/**
 * Publishes the exit of an attempt in place of its wrapper, which does not know that the command is to end, or is stopped;
 * when the wrapper does publish one, it finds that it came second. The process that takes this exit ends those that are left.
 */
export async function publishInPlace(
  host: Host,
  attempt: Attempt,
  { claim, end }: { claim: Claim; end: Pick<ExitRecord, 'limit' | 'enough'> },
): Promise<void> {
  const nowMs = host.clock.now();
  // The machine may have started again since the claim.
  const durationMs = Math.max(0, host.clock.uptimeMs() - claim.uptimeMs);
  // As the wrapper does: an exit is not on the disk without what was written before it.
  for (const stream of ['stdout', 'stderr'] as const)
    await syncFile(host.files, outputPath(attempt, stream)).catch(() => {});
  await publishExit(host, attempt, {
    exitCode: null,
    signal: 'SIGKILL',
    timedOut: end.enough !== true,
    ...end,
    startedAt: new Date(nowMs - durationMs).toISOString(),
    endedAt: new Date(nowMs).toISOString(),
    durationMs,
    swept: false,
  });
}
