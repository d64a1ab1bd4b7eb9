import type { Host } from '../host/host.ts';
import { awaitExit, type Watch } from './await-exit.ts';
import { resultOf } from './command-result.ts';
import { type CommandResult, JobFailed, type JobSpec } from './job.ts';
import { ATTEMPTS_MAX } from './job-files.ts';
import { writeSpec } from './job-spec.ts';
import { startUntilClaimed } from './start-wrapper.ts';

export interface JobOptions {
  /** `…/jobs/<effect id>`; the id is unlike any other's anywhere, because processes are found by it. */
  readonly directory: string;
  readonly spec: JobSpec;
  /** When an attempt was cut off half way: start the command again, or give it up. */
  readonly onCrash: 'rerun' | 'fail';
  /** Looks at the running command now and then, and may end it early. */
  readonly watch?: Watch | undefined;
  /** Only ends the wait. */
  readonly signal: AbortSignal;
}

/**
 * Runs an outside command that survives the process that asked for it, or waits for the one that runs already.
 *
 * A **wrapper**, a process in a session of its own, runs the command in that session with its output going to files, and
 * waits for its end. Hosts only look at files and at whether the wrapper is there. States of attempt n, by what is there:
 *
 * | `n.process.json` | `n.exit.json` | wrapper | state | next |
 * |---|---|---|---|---|
 * | no | no | – | open | any host starts wrappers; the one whose link makes the claim has it, the others end |
 * | yes | no | alive | running | the wrapper puts up the exit; if it stopped past the timeout, or what was written is enough, a host does |
 * | yes | yes | – | ended | for good; what is left of its processes is ended before the result counts |
 * | yes | no | gone | lost | a host puts up the exit if what was written is enough; else for good: its processes are ended, then attempt n + 1 is open, or the job has failed |
 *
 * With `cancelled.json` a wrapper that has made its claim ends at once and hosts give the job up.
 *
 * Guarantee: one attempt runs the command at most once, and no two attempts overlap. A host may be killed at any instant:
 * only the death of a wrapper loses an attempt, and the session it led is known from the claim on, before anything ran.
 *
 * Rejects with JobFailed (see its reasons), Conflict when the directory is another command's, InvalidInput, errors of the
 * file system, and the signal's reason: then the command goes on.
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
        `The command "${spec.file}" of the job ${directory} was cut off: its wrapper (process ${claim.wrapper.pid}) is gone and left no result. What it had done by then is not known.`,
        { reason: 'lost', hint: 'See what it did; a command that may be repeated is declared with onCrash: "rerun".' },
      );
    }
  }
  throw new JobFailed(
    `The command "${spec.file}" of the job ${directory} was cut off ${ATTEMPTS_MAX} times; it is not started again.`,
    { reason: 'lost', hint: 'See whether something kills it, such as a memory limit (dmesg).' },
  );
}
