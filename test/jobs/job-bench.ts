import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { Host } from '../../src/host/host.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import type { CommandResult, JobSpec } from '../../src/jobs/job.ts';
import { until } from '../processes/child.ts';
import { bundleJobs, type BundledJobs } from './bundled-jobs.ts';

/** The tools with which the tests run jobs. */
export interface JobBench {
  /** A directory for a job that no other test has. */
  directory(): string;
  run(directory: string, spec: JobSpec, options?: RunOptions): Promise<CommandResult>;
  cancel(directory: string): Promise<void>;
  readonly bundled: BundledJobs;
}

export interface RunOptions {
  readonly onCrash?: 'rerun' | 'fail';
  readonly signal?: AbortSignal;
  readonly host?: Host;
}

/** Set-up for the tests of a file. Fails a test that leaves a process of one of its jobs. */
export function useJobs(): JobBench {
  let bundled: BundledJobs | undefined;
  const made: string[] = [];
  const loaded = (): BundledJobs => {
    if (!bundled) throw new Error('the jobs are bundled before the tests, not before they are collected');
    return bundled;
  };
  beforeAll(async () => {
    bundled = await bundleJobs();
  });
  afterAll(() => bundled?.[Symbol.dispose]());
  afterEach(async () => {
    const directories = made.splice(0);
    try {
      await expectNoProcess(...directories);
    } finally {
      for (const pid of directories.flatMap(pidsOf)) process.kill(pid, 'SIGKILL');
      for (const directory of directories) fs.rmSync(baseOf(directory), { recursive: true, force: true });
    }
  });
  return {
    directory: () => {
      const base = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-jobs-'));
      // Globally unique like an effect id, because processes are found by it.
      const directory = path.join(base, 'jobs', `${randomBytes(6).toString('hex')}.1.0`);
      made.push(directory);
      return directory;
    },
    run: (directory, spec, { onCrash = 'rerun', signal = new AbortController().signal, host = nodeHost } = {}) =>
      loaded().jobs.runJob(host, { directory, spec, onCrash, signal }),
    cancel: (directory) => loaded().jobs.cancelJob(nodeHost, directory),
    get bundled() {
      return loaded();
    },
  };
}

/** Runs text as a shell script. */
export const shell = (script: string): JobSpec => ({ file: 'sh', args: ['-c', script] });

/** A child and a grandchild that SIGTERM does not end, and one that left the session. */
export const STUBBORN = "trap '' TERM; (trap '' TERM; sleep 300; sleep 300) & setsid sleep 300 & sleep 300; sleep 300";
/** Including the wrapper. */
export const STUBBORN_PROCESSES = 6;

/** Appends a line to `runs` beside the job each time that it runs. */
export function counting(directory: string, script: string): JobSpec {
  return shell(`echo run >> '${runsPath(directory)}'; ${script}`);
}

export function runsOf(directory: string): number {
  if (!fs.existsSync(runsPath(directory))) return 0;
  return fs.readFileSync(runsPath(directory), 'latin1').split('\n').filter(Boolean).length;
}

/** The directory for files that belong to no job. */
export const baseOf = (directory: string): string => path.dirname(path.dirname(directory));
const runsPath = (directory: string): string => `${baseOf(directory)}/runs`;

/** No process of the jobs runs, except briefly a late wrapper that exits without running anything. */
export async function expectNoProcess(...directories: string[]): Promise<void> {
  const marks = directories.map(markOf);
  await until('no process of the job is left', () => pidsWith(marks).length === 0);
}

/** Every live process that has the job in its environment, wherever it went. */
export function pidsOf(directory: string): number[] {
  return pidsWith([markOf(directory)]);
}

const markOf = (directory: string): string => `MAILROOM_EFFECT_ID=${path.basename(directory)}`;

function pidsWith(marks: readonly string[]): number[] {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const environment = readProc(pid, 'environ').split('\0');
      return marks.some((mark) => environment.includes(mark)) && !/\) [ZX] /.test(readProc(pid, 'stat'));
    })
    .map(Number);
}

function readProc(pid: string, name: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return '';
  }
}

export async function rejectionOf(promise: Promise<unknown>): Promise<Error & { reason?: unknown; hint?: unknown }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('expected a rejection with an error');
}
