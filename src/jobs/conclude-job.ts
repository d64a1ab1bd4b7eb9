import { syncFile } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { listClaims, type Claim } from './claim.ts';
import { assertEnded, GRACE_MS } from './end-tree.ts';
import { publishExit, readExit, type ExitRecord } from './exit-record.ts';
import { outputPath, treeOf, type Attempt } from './job-layout.ts';

/**
 * Ends a job whose output is all that was needed: it counts as ended, and nothing of it is left. An end that came first
 * stays what it was; nothing happens where nothing was claimed.
 */
export async function concludeJob(host: Host, directory: string): Promise<void> {
  const last = listClaims(host, directory).at(-1);
  if (!last || readExit(host, last.attempt)) return;
  const { attempt, ...claim } = last;
  await publishInPlace(host, attempt, { claim, end: { enough: true } });
  await assertEnded(host, treeOf(attempt, claim.wrapper), { scope: 'marked', graceMs: GRACE_MS });
}

/**
 * Publishes the exit of an attempt in place of its wrapper, which does not know that the command is to end, or is stopped;
 * when the wrapper does publish one, it finds that it came second. The process that takes this exit ends those that are left.
 */
export async function publishInPlace(
  host: Host,
  attempt: Attempt,
  { claim, end }: { claim: Claim; end: Pick<ExitRecord, 'limit' | 'enough'> },
): Promise<void> {
  const nowMs = host.clock.now();
  // The machine may have started again since the claim.
  const durationMs = Math.max(0, host.clock.uptimeMs() - claim.uptimeMs);
  // As the wrapper does: an exit is not on the disk without what was written before it.
  for (const stream of ['stdout', 'stderr'] as const)
    await syncFile(host.files, outputPath(attempt, stream)).catch(() => {});
  await publishExit(host, attempt, {
    exitCode: null,
    signal: 'SIGKILL',
    timedOut: end.enough !== true,
    ...end,
    startedAt: new Date(nowMs - durationMs).toISOString(),
    endedAt: new Date(nowMs).toISOString(),
    durationMs,
    swept: false,
  });
}
