import { constants } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readText } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import type { ProcessIdentity } from '../host/processes.ts';
import { cut } from '../message/cut.ts';
import { assertNotCancelled } from './await-exit.ts';
import { assertEnded } from './end-tree.ts';
import {
  type Attempt,
  attemptEnvironment,
  type JobClaim,
  readClaim,
  treeOf,
  wrapperErrorsPath,
  LOOKS,
} from './job-files.ts';
import { JobFailed } from './job.ts';
import { createGrowingWait } from '../host/growing-wait.ts';

const STARTS_MAX = 5;
/** How long a wrapper may take to claim its attempt before another wrapper is started. */
const CLAIM_PATIENCE_MS = 5_000;
const ERRORS_CHARS_MAX = 500;

/**
 * Starts wrappers until one has claimed the attempt; resolves with the claim. Any number of wrappers may try, and one wins.
 * Throws JobFailed if none does, or the job is cancelled.
 */
export async function startUntilClaimed(host: Host, attempt: Attempt, signal: AbortSignal): Promise<JobClaim> {
  const started: ProcessIdentity[] = [];
  let cause: unknown;
  for (let starts = 0; starts < STARTS_MAX; starts++) {
    const found = readClaim(host, attempt);
    if (found) return found;
    assertNotCancelled(host, attempt.directory);
    try {
      const wrapper = await startWrapper(host, attempt);
      started.push(wrapper);
      const claim = await awaitClaim(host, { attempt, wrapper, signal });
      if (claim) return claim;
    } catch (error) {
      if (signal.aborted || error instanceof JobFailed) throw error;
      cause = error;
      await createGrowingWait(host.clock, LOOKS, signal)();
    }
  }
  // None of them may claim the attempt after it was reported as not started.
  for (const leader of started) await assertEnded(host, treeOf(attempt, leader), { scope: 'session', graceMs: 0 });
  const late = readClaim(host, attempt);
  if (late) return late;
  const errors = cut(readText(host.files, wrapperErrorsPath(attempt.directory))?.trim() ?? '', {
    charsMax: ERRORS_CHARS_MAX,
    keep: 'end',
  });
  throw new JobFailed(
    `The job ${attempt.directory} was not started: ${STARTS_MAX} wrappers did not claim it. ${errors}`,
    {
      reason: 'not-started',
      cause,
      hint: `Their errors: ${wrapperErrorsPath(attempt.directory)}`,
    },
  );
}

async function startWrapper(host: Host, attempt: Attempt): Promise<ProcessIdentity> {
  const { file, args, cwd } = wrapperProgram();
  const flags = constants.O_CREAT | constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW;
  const stderr = host.files.open(wrapperErrorsPath(attempt.directory), flags, 0o600);
  try {
    return await host.processes.startSession(file, [...args, attempt.directory, String(attempt.number)], {
      cwd,
      env: attemptEnvironment(attempt),
      stderr,
    });
  } finally {
    host.files.close(stderr);
  }
}

async function awaitClaim(
  host: Host,
  { attempt, wrapper, signal }: { attempt: Attempt; wrapper: ProcessIdentity; signal: AbortSignal },
): Promise<JobClaim | undefined> {
  const pause = createGrowingWait(host.clock, LOOKS, signal);
  const startMs = host.clock.uptimeMs();
  for (;;) {
    // Checked before the claim is read: if the wrapper has ended by now, its claim, if any, is visible.
    const mayClaim = host.processes.isAlive(wrapper) && host.clock.uptimeMs() - startMs < CLAIM_PATIENCE_MS;
    const claim = readClaim(host, attempt);
    if (claim || !mayClaim) return claim;
    assertNotCancelled(host, attempt.directory);
    await pause();
  }
}

/** The command that starts the wrapper: the built file beside this module, or the source through tsx. */
function wrapperProgram(): { readonly file: string; readonly args: readonly string[]; readonly cwd: string } {
  const isSource = import.meta.url.endsWith('.ts');
  const program = fileURLToPath(new URL(isSource ? 'run-wrapper.ts' : 'run-wrapper.js', import.meta.url));
  // Node resolves tsx from the working directory, and that of the host may be anywhere.
  return { file: process.execPath, args: [...(isSource ? ['--import', 'tsx'] : []), program], cwd: dirname(program) };
}
