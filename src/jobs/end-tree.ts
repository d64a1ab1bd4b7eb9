import type { Host } from '../host/host.ts';
import type { TreeSignal } from '../host/processes.ts';
import { type AttemptTree, readExit, LOOKS } from './job-files.ts';
import { JobFailed } from './job.ts';
import { createGrowingWait } from '../host/growing-wait.ts';
import { isWrapperThere } from './sign-of-life.ts';

/** The time from SIGTERM to SIGKILL. */
export const GRACE_MS = 2_000;
/** How long the kernel may take to end killed processes; one that waits for a dead disk cannot be ended. */
const KILL_PATIENCE_MS = 10_000;
/** The same for another PID namespace, where no process can be killed from here: a killed wrapper counts as alive for 10 s after its last sign. */
const ELSEWHERE_PATIENCE_MS = 20_000;
/** A process in the middle of exec(2) has no environment to recognize it by, so one search that finds none is not enough. */
const EMPTY_LOOKS = 2;

/**
 * Ends every process of a tree except this one: with a grace period SIGTERM first, then SIGKILL until a search finds none.
 * False if some cannot be ended, or the system cannot tell. In another PID namespace no process is signalled: the wrapper
 * there ends them when the job is cancelled, and this waits for it.
 */
export async function endTree(
  host: Host,
  tree: AttemptTree,
  { scope, graceMs }: { scope: TreeSignal['scope']; graceMs: number },
): Promise<boolean> {
  const { clock, processes } = host;
  if (processes.isElsewhere(tree.leader)) return hasEndedElsewhere(host, tree);
  // A search through all processes of the machine costs some ms, so searches become rarer.
  const pause = createGrowingWait(clock, LOOKS);
  const startMs = clock.uptimeMs();
  // A leader recognizes its own session by its number, without the environment.
  const emptyLooksWanted = scope === 'session' && tree.leader.pid === processes.self().pid ? 1 : EMPTY_LOOKS;
  let emptyLooks = 0;
  let isTold = graceMs === 0;
  for (;;) {
    const elapsedMs = clock.uptimeMs() - startMs;
    if (elapsedMs > graceMs + KILL_PATIENCE_MS) return false;
    const isKill = elapsedMs >= graceMs;
    const found = isKill
      ? processes.signalTree(tree, { scope, signal: 'SIGKILL' })
      : processes.signalTree(tree, isTold ? { scope } : { scope, signal: 'SIGTERM' });
    isTold = true;
    if (found === undefined && isKill) return false;
    emptyLooks = found === 0 ? emptyLooks + 1 : 0;
    if (emptyLooks >= emptyLooksWanted) return true;
    await pause();
  }
}

async function hasEndedElsewhere(host: Host, { attempt, leader }: AttemptTree): Promise<boolean> {
  const pause = createGrowingWait(host.clock, LOOKS);
  const startMs = host.clock.uptimeMs();
  while (isWrapperThere(host, attempt, leader) && !readExit(host, attempt)?.swept) {
    if (host.clock.uptimeMs() - startMs > ELSEWHERE_PATIENCE_MS) return false;
    await pause();
  }
  return true;
}

/** The same; throws JobFailed if some processes cannot be ended. */
export async function assertEnded(
  host: Host,
  tree: AttemptTree,
  options: { scope: TreeSignal['scope']; graceMs: number },
): Promise<void> {
  if (await endTree(host, tree, options)) return;
  const { pid, pidNamespace } = tree.leader;
  if (host.processes.isElsewhere(tree.leader)) {
    throw new JobFailed(
      `Processes of the job marked ${tree.mark} still run in another container or sandbox (PID namespace ${pidNamespace}).`,
      {
        reason: 'not-ended',
        hint: `They cannot be signalled from here. End process ${pid} in there, or end the container.`,
      },
    );
  }
  throw new JobFailed(
    `Processes of the job marked ${tree.mark} (session ${tree.leader.pid}) still exist ${KILL_PATIENCE_MS / 1000} s after SIGKILL.`,
    // -g selects by session in the ps of Linux, and by process group in that of macOS.
    {
      reason: 'not-ended',
      hint: `To see them, and what they wait for: ps -o pid,user,stat,wchan,args -g ${tree.leader.pid}`,
    },
  );
}
