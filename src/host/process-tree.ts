import { errnoOf } from './file-system.ts';
import { thisPlatform } from './platform/this-platform.ts';
import { isElsewhere } from './process-identity.ts';
import type { ProcessTree, TreeSignal } from './processes.ts';

/** Sends a signal to every process of the tree but this one, and returns how many there were. */
export function signalTree(tree: ProcessTree, { signal, scope }: TreeSignal): number | undefined {
  const { leader } = tree;
  const platform = thisPlatform();
  // No process outlives its boot, and elsewhere its pid is another's.
  if (!platform.isThisBoot(leader.bootId) || isElsewhere(leader)) return 0;
  const found = platform.findTree(tree, scope);
  // A group of an unknown boot may be anybody's.
  if (found === undefined) return leader.bootId === platform.bootId() ? signalGroup(leader.pid, signal) : 0;
  // Somebody may be there; the next look tells.
  if (found === 'unsure') return 1;
  const { members, strays, ownGroup } = found;
  if (signal) {
    // By group where possible: the kernel lets nobody slip away by a fork meanwhile.
    const groups = new Set(members.map(({ group }) => group).filter((group) => group !== ownGroup));
    for (const group of groups) send(-group, signal);
    for (const { pid, group } of [...members, ...strays]) if (!groups.has(group)) send(pid, signal);
  }
  return members.length + strays.length;
}

/** Where the system tells nothing: the group of the leader, which holds what did not make one of its own. */
function signalGroup(group: number, signal: NodeJS.Signals | undefined): number | undefined {
  if (group !== process.pid) return send(-group, signal ?? 0) ? 1 : 0;
  // The leader itself can tell neither who else is there nor hit them without itself.
  if (signal === 'SIGTERM') send(-group, signal);
  return undefined;
}

/** Whether somebody was there. */
function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // EPERM: it is there, and runs as another user.
    return errnoOf(error) === 'EPERM';
  }
  return true;
}
