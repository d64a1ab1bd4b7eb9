import type { Host } from '../host/host.ts';
import {
  type Attempt,
  type JobClaim,
  type ExitRecord,
  isCancelled,
  readExit,
  treeOf,
  wasEnded,
  LOOKS,
} from './job-files.ts';
import { publishInPlace } from './end-job.ts';
import { assertEnded, GRACE_MS } from './end-tree.ts';
import { JobFailed } from './job.ts';
import { isWrapperThere } from './sign-of-life.ts';
import { createGrowingWait } from '../host/growing-wait.ts';

/** How late a wrapper may be in ending a command before a host does it; a later wrapper is stopped, or starved. */
const OVERDUE_MS = 3_000;
/** How long a wrapper may take to end after it has published the exit. */
const ENDING_MS = 2_000;

/**
 * Checks an attempt without an exit: why it need not run any longer; undefined if it is still needed. `isRunning` is false if
 * its wrapper is gone; then the attempt is lost unless the result is `enough`.
 */
export type ExitWatch = (attempt: Attempt, isRunning: boolean) => 'enough' | 'idle' | undefined;

/**
 * Waits until an attempt has ended and none of its processes is left. Undefined if it was lost: its wrapper is gone without an
 * exit, and no host can publish one; the processes that it left behind were ended.
 */
export async function awaitExit(
  host: Host,
  attempt: Attempt,
  options: { claim: JobClaim; timeoutMs: number | undefined; watch: ExitWatch | undefined; signal: AbortSignal },
): Promise<ExitRecord | undefined> {
  const { claim, timeoutMs, watch, signal } = options;
  const pause = createGrowingWait(host.clock, LOOKS, signal);
  for (;;) {
    assertNotCancelled(host, attempt.directory);
    // Checked before the exit is read, because the exit is the last thing that a wrapper publishes.
    const isAlive = isWrapperThere(host, attempt, claim.wrapper);
    const exit = readExit(host, attempt);
    if (exit) {
      await settle(host, attempt, { claim, exit, signal });
      return exit;
    }
    const ending = watch?.(attempt, isAlive);
    if (ending === 'enough' || (ending === 'idle' && isAlive)) {
      const end = ending === 'enough' ? { enough: true as const } : { limit: ending };
      await publishInPlace(host, attempt, { claim, end });
      continue;
    }
    if (!isAlive) {
      await assertEnded(host, treeOf(attempt, claim.wrapper), { scope: 'marked', graceMs: 0 });
      return undefined;
    }
    const runningMs = host.clock.uptimeMs() - claim.uptimeMs;
    if (timeoutMs !== undefined && runningMs > timeoutMs + GRACE_MS + OVERDUE_MS) {
      await publishInPlace(host, attempt, { claim, end: {} });
    } else {
      await pause();
    }
  }
}

export function assertNotCancelled(host: Host, directory: string): void {
  if (!isCancelled(host.files, directory)) return;
  throw new JobFailed(`The job ${directory} was cancelled.`, { reason: 'cancelled' });
}

/** Ends what is left of the attempt before its result counts; a wrapper that has swept only has to end itself. */
async function settle(
  host: Host,
  attempt: Attempt,
  { claim, exit, signal }: { claim: JobClaim; exit: ExitRecord; signal: AbortSignal },
): Promise<void> {
  const pause = createGrowingWait(host.clock, LOOKS, signal);
  const startMs = host.clock.uptimeMs();
  while (exit.swept && host.clock.uptimeMs() - startMs < ENDING_MS) {
    if (!isWrapperThere(host, attempt, claim.wrapper)) return;
    await pause();
  }
  const scope = wasEnded(exit) ? 'marked' : 'session';
  const graceMs = exit.enough === true ? GRACE_MS : 0;
  await assertEnded(host, treeOf(attempt, claim.wrapper), { scope, graceMs });
}
