import type { Host } from '../host/host.ts';
import type { ProcessIdentity } from '../host/processes.ts';
import { claimPath, isCancelled, type Attempt } from './job-files.ts';

/** How often a wrapper touches its claim, and checks whether the job was cancelled from another PID namespace. */
const SIGN_MS = 2_000;
/** How long after its last sign a wrapper of another PID namespace counts as alive. */
const SIGN_MS_MAX = 10_000;

/** Whether the wrapper of an attempt is alive; in another PID namespace its signs of life decide. */
export function isWrapperThere({ processes, files, clock }: Host, attempt: Attempt, wrapper: ProcessIdentity): boolean {
  if (!processes.isElsewhere(wrapper)) return processes.isAlive(wrapper);
  const signedMs = files.lstat(claimPath(attempt))?.mtimeMs;
  return signedMs !== undefined && Math.abs(clock.now() - signedMs) <= SIGN_MS_MAX;
}

/** Gives signs of life of a running wrapper; resolves when the job is cancelled, or the signal aborts. */
export async function keepSigning({ files, clock }: Host, attempt: Attempt, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !isCancelled(files, attempt.directory)) {
    try {
      files.utimes(claimPath(attempt), clock.now());
    } catch {
      // A missed sign is harmless.
    }
    await clock.sleep(SIGN_MS, signal);
  }
}
