import {
  type JobClaim,
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
 * Deletes the directory of an ended job. No-op if there is none. Throws Conflict while a process of the job is running.
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
  // At this rename the job is gone: a late wrapper cannot claim a partly deleted job.
  rename(files, directory, `${parent}/${REMOVED_PREFIX}${host.randomBytes(8).toString('hex')}`);
  sweepRemoved(host, parent);
}

/** Deletes the remains of jobs whose removal was interrupted by a kill. */
export function sweepRemoved({ files }: Host, jobsDirectory: string): void {
  for (const name of namesIn(files, jobsDirectory))
    if (name.startsWith(REMOVED_PREFIX)) removeTree(files, `${jobsDirectory}/${name}`);
}

/** The names (effect ids) of the jobs in a directory; none if it does not exist. */
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

/** Ignores ENOENT, because several processes may remove at once. */
function unlessGone<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Ends a job and everything it started, whichever host started it. Resolves when none of its processes is left; no host starts
 * it again. SIGTERM first, SIGKILL after GRACE_MS. No-op if there is no job. Rejects with JobFailed if its processes cannot be
 * ended, or a damaged file hides which they are.
 */
export async function cancelJob(host: Host, directory: string): Promise<void> {
  if (host.files.lstat(directory) === undefined) return;
  try {
    // Published before the claims are read: a wrapper that claims later finds this file, and an earlier claim is read below.
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
 * Ends a job whose output is already sufficient: it counts as ended, and none of its processes is left. An earlier exit
 * stands. No-op if nothing was claimed.
 */
export async function concludeJob(host: Host, directory: string): Promise<void> {
  const last = listClaims(host, directory).at(-1);
  if (!last || readExit(host, last.attempt)) return;
  const { attempt, ...claim } = last;
  await publishInPlace(host, attempt, { claim, end: { enough: true } });
  await assertEnded(host, treeOf(attempt, claim.wrapper), { scope: 'marked', graceMs: GRACE_MS });
}

/**
 * Publishes the exit of an attempt in place of its wrapper, which is stopped, or does not know that the command must end. If
 * the wrapper publishes one later, the first one counts. The process that reads this exit ends the remaining processes.
 */
export async function publishInPlace(
  host: Host,
  attempt: Attempt,
  { claim, end }: { claim: JobClaim; end: Pick<ExitRecord, 'limit' | 'enough'> },
): Promise<void> {
  const nowMs = host.clock.now();
  // The machine may have rebooted since the claim.
  const durationMs = Math.max(0, host.clock.uptimeMs() - claim.uptimeMs);
  // As in the wrapper: the output is durable before the exit is.
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
