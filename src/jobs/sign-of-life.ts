import type { Host } from '../host/host.ts';
import type { ProcessIdentity } from '../host/processes.ts';
import { claimPath, isCancelled, type Attempt } from './job-files.ts';

/** How often a wrapper touches its claim, and looks whether the job was cancelled by somebody who cannot signal it. */
const SIGN_MS = 2_000;
/** How long after its last sign a wrapper of another PID namespace counts as there. */
const SIGN_MS_MAX = 10_000;

/** Whether the wrapper of an attempt is there; one that is elsewhere is judged by its signs. */
export function isWrapperThere({ processes, files, clock }: Host, attempt: Attempt, wrapper: ProcessIdentity): boolean {
  if (!processes.isElsewhere(wrapper)) return processes.isAlive(wrapper);
  const signedMs = files.lstat(claimPath(attempt))?.mtimeMs;
  return signedMs !== undefined && Math.abs(clock.now() - signedMs) <= SIGN_MS_MAX;
}

/** Gives signs of a wrapper that runs; resolves when the job is cancelled, or the signal aborts. */
export async function keepSigning({ files, clock }: Host, attempt: Attempt, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !isCancelled(files, attempt.directory)) {
    try {
      files.utimes(claimPath(attempt), clock.now());
    } catch {
      // A sign that cannot be given stops nothing.
    }
    await clock.sleep(SIGN_MS, signal);
  }
}
