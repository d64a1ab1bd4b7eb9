import type { Host } from '../host/host.ts';
import { awaitExit, type ExitWatch } from './await-exit.ts';
import { resultOf } from './command-result.ts';
import { type CommandResult, JobFailed, type JobSpec } from './job.ts';
import { ATTEMPTS_MAX } from './job-files.ts';
import { writeSpec } from './job-spec.ts';
import { startUntilClaimed } from './start-wrapper.ts';

export interface JobOptions {
  /** `…/jobs/<effect id>`; the id must be globally unique, because processes are found by it. */
  readonly directory: string;
  readonly spec: JobSpec;
  /** What to do when an attempt was lost: run the command again, or fail. */
  readonly onCrash: 'rerun' | 'fail';
  /** Checks the running command periodically, and may end it early. */
  readonly watch?: ExitWatch | undefined;
  /** Ends only the wait; the command keeps running. */
  readonly signal: AbortSignal;
}

/**
 * Runs an outside command that survives the process that asked for it, or waits for the one that is already running.
 *
 * A **wrapper**, a process in a session of its own, runs the command in that session with its output going to files, and
 * waits for its end. Hosts only read files and check whether the wrapper is alive. States of attempt n, by its files:
 *
 * | `n.process.json` | `n.exit.json` | wrapper | state | next |
 * |---|---|---|---|---|
 * | no | no | – | open | any host starts wrappers; the one whose link makes the claim wins, the others exit |
 * | yes | no | alive | running | the wrapper publishes the exit; if it is stopped past the timeout, or the output is sufficient, a host does |
 * | yes | yes | – | ended | final; remaining processes are ended before the result counts |
 * | yes | no | gone | lost | a host publishes the exit if the output is sufficient; otherwise final: its processes are ended, then attempt n + 1 is open, or the job has failed |
 *
 * If `cancelled.json` exists, a wrapper that has made its claim exits at once, and hosts give the job up.
 *
 * Guarantee: one attempt runs the command at most once, and no two attempts overlap. A host may be killed at any instant:
 * only the death of a wrapper loses an attempt, and its session is known from the claim on, before anything runs.
 *
 * Rejects with JobFailed (see its reasons), Conflict if the directory belongs to another command, InvalidInput, file-system
 * errors, and the signal's reason; in the last case the command keeps running.
 */
export async function runJob(host: Host, options: JobOptions): Promise<CommandResult> {
  const { directory, spec, onCrash, watch, signal } = options;
  signal.throwIfAborted();
  await writeSpec(host, directory, spec);
  for (let number = 1; number <= ATTEMPTS_MAX; number++) {
    const attempt = { directory, number };
    const claim = await startUntilClaimed(host, attempt, signal);
    const exit = await awaitExit(host, attempt, { claim, timeoutMs: spec.timeoutMs, watch, signal });
    if (exit) return resultOf(host.files, attempt, { exit, outputBytesMax: spec.outputBytesMax });
    if (onCrash === 'fail') {
      throw new JobFailed(
        `The command "${spec.file}" of the job ${directory} was cut off: its wrapper (process ${claim.wrapper.pid}) is gone and left no result. What it had done is not known.`,
        { reason: 'lost', hint: 'Check what it did; declare a command that may be repeated with onCrash: "rerun".' },
      );
    }
  }
  throw new JobFailed(
    `The command "${spec.file}" of the job ${directory} was cut off ${ATTEMPTS_MAX} times; it is not started again.`,
    { reason: 'lost', hint: 'Check whether something kills it, such as a memory limit (dmesg).' },
  );
}
