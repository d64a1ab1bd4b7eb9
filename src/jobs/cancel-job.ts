import { errnoOf } from '../host/file-system.ts';
import type { Host } from '../host/host.ts';
import { listClaims } from './claim.ts';
import { assertEnded, GRACE_MS } from './end-tree.ts';
import { readExit, wasEnded } from './exit-record.ts';
import { publishJobFile } from './job-file.ts';
import { isWrapperThere } from './sign-of-life.ts';
import { cancelledPath, treeOf } from './job-layout.ts';

/**
 * Ends a job and everything it started, whoever started it; resolves when none of its processes is left, and no host
 * starts it again. SIGTERM first, SIGKILL after GRACE_MS. Nothing happens where there is no job. Rejects with JobFailed
 * when its processes cannot be ended, or a damaged file does not tell which they are.
 */
export async function cancelJob(host: Host, directory: string): Promise<void> {
  if (host.files.lstat(directory) === undefined) return;
  try {
    // Before the look: a wrapper that claims after it finds this, and one that claimed before it is found.
    await publishJobFile(host, directory, cancelledPath(directory), {
      v: 1,
      at: new Date(host.clock.now()).toISOString(),
    });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' && host.files.lstat(directory) === undefined) return;
    throw error;
  }
  for (const { attempt, wrapper } of listClaims(host, directory)) {
    const isAlive = isWrapperThere(host, attempt, wrapper);
    const exit = readExit(host, attempt);
    if (exit?.swept && !isAlive) continue;
    // A command that ended by itself may have left a daemon on purpose.
    const scope = exit && !wasEnded(exit) ? 'session' : 'marked';
    await assertEnded(host, treeOf(attempt, wrapper), { scope, graceMs: GRACE_MS });
  }
}
