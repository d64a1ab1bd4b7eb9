import type { Host } from '../host/host.ts';
import type { TreeSignal } from '../host/processes.ts';
import { type AttemptTree, readExit, LOOKS } from './job-files.ts';
import { JobFailed } from './job.ts';
import { createGrowingWait } from '../host/growing-wait.ts';
import { isWrapperThere } from './sign-of-life.ts';

/** From SIGTERM to SIGKILL. */
export const GRACE_MS = 2_000;
/** How long the kernel may take to end what was killed; what waits for a dead disk cannot be ended. */
const KILL_PATIENCE_MS = 10_000;
/** The same where nobody here can kill: a wrapper that was killed counts as there for 10 s after its last sign. */
const ELSEWHERE_PATIENCE_MS = 20_000;
/** A process in the middle of exec(2) has no environment to be known by, so one look that finds nobody is not enough. */
const EMPTY_LOOKS = 2;

/**
 * Ends every process of a tree but this one: with a grace SIGTERM first, then SIGKILL until a look finds none. False when
 * some cannot be ended, or the system cannot tell. Of another PID namespace none is signalled: its wrapper ends them when the
 * job is cancelled, and that is waited for.
 */
export async function endTree(
  host: Host,
  tree: AttemptTree,
  { scope, graceMs }: { scope: TreeSignal['scope']; graceMs: number },
): Promise<boolean> {
  const { clock, processes } = host;
  if (processes.isElsewhere(tree.leader)) return hasEndedElsewhere(host, tree);
  // A look at every process of the machine costs some ms, so they become rare.
  const pause = createGrowingWait(clock, LOOKS);
  const startMs = clock.uptimeMs();
  // Its own session a leader knows by its number.
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

/** The same; throws JobFailed when some cannot be ended. */
export async function assertEnded(
  host: Host,
  tree: AttemptTree,
  options: { scope: TreeSignal['scope']; graceMs: number },
): Promise<void> {
  if (await endTree(host, tree, options)) return;
  const { pid, pidNamespace } = tree.leader;
  if (host.processes.isElsewhere(tree.leader)) {
    throw new JobFailed(
      `Processes of the job marked ${tree.mark} run on in another container or sandbox (PID namespace ${pidNamespace}).`,
      { reason: 'not-ended', hint: `Nothing is signalled there from here. End process ${pid} in there, or all of it.` },
    );
  }
  throw new JobFailed(
    `Processes of the job marked ${tree.mark} (session ${tree.leader.pid}) are still there ${KILL_PATIENCE_MS / 1000} s after SIGKILL.`,
    // -g: the session in ps of Linux, and the process group in that of macOS.
    { reason: 'not-ended', hint: `See who they are, and why: ps -o pid,user,stat,wchan,args -g ${tree.leader.pid}` },
  );
}
