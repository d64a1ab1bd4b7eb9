import type { Host } from '../host/host.ts';
import {
  type Attempt,
  type Claim,
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

/** How much later than it should a wrapper may end a command before others do: then it is stopped, or starved. */
const OVERDUE_MS = 3_000;
/** How long a wrapper may take to end once it has put up the exit. */
const ENDING_MS = 2_000;

/**
 * Looks at an attempt that has no exit: why it need not run on, undefined when it is still needed. `isRunning` is false when
 * its wrapper is gone; then the attempt is lost unless it is `enough`.
 */
export type Watch = (attempt: Attempt, isRunning: boolean) => 'enough' | 'idle' | undefined;

/**
 * Waits until an attempt has ended and nothing of it is left. Undefined when it was lost: its wrapper is gone and put up
 * no exit, nor can anybody else; then what it left behind was ended.
 */
export async function awaitExit(
  host: Host,
  attempt: Attempt,
  options: { claim: Claim; timeoutMs: number | undefined; watch: Watch | undefined; signal: AbortSignal },
): Promise<ExitRecord | undefined> {
  const { claim, timeoutMs, watch, signal } = options;
  const pause = createGrowingWait(host.clock, LOOKS, signal);
  for (;;) {
    assertNotCancelled(host, attempt.directory);
    // Before the look, because the exit is the last that a wrapper puts up.
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

/** Before the result counts, nothing of the attempt is left; a wrapper that swept has only itself to end. */
async function settle(
  host: Host,
  attempt: Attempt,
  { claim, exit, signal }: { claim: Claim; exit: ExitRecord; signal: AbortSignal },
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
