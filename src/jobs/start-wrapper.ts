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
  type Claim,
  readClaim,
  treeOf,
  wrapperErrorsPath,
  LOOKS,
} from './job-files.ts';
import { JobFailed } from './job.ts';
import { createGrowingWait } from '../host/growing-wait.ts';

const STARTS_MAX = 5;
/** How long a wrapper may take to claim its attempt before another one is tried. */
const CLAIM_PATIENCE_MS = 5_000;
const ERRORS_CHARS_MAX = 500;

/**
 * The attempt's claim. Starts wrappers until there is one: any number of them may try, and one gets it. Throws JobFailed
 * when none does, or the job is cancelled.
 */
export async function startUntilClaimed(host: Host, attempt: Attempt, signal: AbortSignal): Promise<Claim> {
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
  // None of them may claim it after it was reported as not started.
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
      hint: `See what they wrote: ${wrapperErrorsPath(attempt.directory)}`,
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
): Promise<Claim | undefined> {
  const pause = createGrowingWait(host.clock, LOOKS, signal);
  const startMs = host.clock.uptimeMs();
  for (;;) {
    // Before the look, so that one that ended has claimed it by then if it ever did.
    const mayClaim = host.processes.isAlive(wrapper) && host.clock.uptimeMs() - startMs < CLAIM_PATIENCE_MS;
    const claim = readClaim(host, attempt);
    if (claim || !mayClaim) return claim;
    assertNotCancelled(host, attempt.directory);
    await pause();
  }
}

/** How to start the wrapper: what was built lies beside this module, and its source is run through tsx. */
function wrapperProgram(): { readonly file: string; readonly args: readonly string[]; readonly cwd: string } {
  const isSource = import.meta.url.endsWith('.ts');
  const program = fileURLToPath(new URL(isSource ? 'run-wrapper.ts' : 'run-wrapper.js', import.meta.url));
  // Node looks for tsx from the working directory on, which may be anywhere for the host.
  return { file: process.execPath, args: [...(isSource ? ['--import', 'tsx'] : []), program], cwd: dirname(program) };
}
