import { dirname } from 'node:path';
import { Conflict } from '../errors.ts';
import { errnoOf, type FileSystem } from '../host/file-system.ts';
import type { Host } from '../host/host.ts';
import { namesIn } from '../host/names-in.ts';
import { listClaims } from './claim.ts';
import { isWrapperThere } from './sign-of-life.ts';
import { readExit } from './exit-record.ts';
import { treeOf } from './job-layout.ts';

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
