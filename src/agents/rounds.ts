import { replaceFile, stagedPath } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { cancelJob, removeJob, concludeJob } from '../jobs/end-job.ts';
import { listClaims, readExit } from '../jobs/job-files.ts';
import { JobFailed } from '../jobs/job.ts';
import { runJob } from '../jobs/run-job.ts';
import { createWatch, isConclusive, readAttempt } from './follow-output.ts';
import type { EndedRun } from './judge.ts';
import type { QuestionRound } from './records.ts';
import type { ReadRules } from './read-output.ts';

const CANCELLED_MAX = 3;

/**
 * Runs the command of a round, waits for a run that an earlier process started, or reads how that run ended. Resolves with
 * `why`, a predicate of "the command", if it could not be run. Rejects with the signal's reason; the command then keeps
 * running.
 */
export async function runRound(
  host: Host,
  directory: string,
  round: Pick<QuestionRound, 'spec'> & { rules: ReadRules; leaveMs: number | undefined; signal: AbortSignal },
): Promise<EndedRun | { readonly why: string }> {
  const { spec, rules, leaveMs, signal } = round;
  const isWatched = rules.output.format === 'jsonl';
  const watch = isWatched ? createWatch(host, { rules, idleMs: spec.idleTimeoutMs, leaveMs }) : undefined;
  for (let cancelled = 0; ; cancelled++) {
    try {
      const result = await runJob(host, { directory, spec, onCrash: 'rerun', watch, signal });
      const attempt = listClaims(host, directory).at(-1)?.attempt ?? { directory, number: 1 };
      return { result, output: readAttempt(host, attempt, rules) };
    } catch (error) {
      if (!(error instanceof JobFailed) || signal.aborted) throw error;
      if (error.reason !== 'cancelled' || cancelled === CANCELLED_MAX) return { why: `was not run: ${error.message}` };
      // The agent was stopped while the command ran, so this round has no answer yet.
      await cancelJob(host, directory);
      removeJob(host, directory);
    }
  }
}

/**
 * Ends the command of a round, if it runs, so that the round is asked again. If the command has already ended, or its answer
 * is complete, the result stands.
 */
export async function stopRound(host: Host, directory: string, rules: ReadRules): Promise<void> {
  const last = listClaims(host, directory).at(-1);
  if (last && readExit(host, last.attempt)) return;
  if (last && isConclusive(readAttempt(host, last.attempt, rules))) return concludeJob(host, directory);
  await cancelJob(host, directory);
  removeJob(host, directory);
}

/** Writes the prompt to the file that the command reads. */
export async function putPrompt(host: Host, path: string, prompt: string): Promise<void> {
  const staged = stagedPath(path.slice(0, path.lastIndexOf('/')), host.randomBytes);
  await replaceFile(host.files, { path, staged, bytes: Buffer.from(prompt), mode: 0o600, durable: true });
}
