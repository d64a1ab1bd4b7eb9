import { thisPlatform } from './platform/this-platform.ts';
import type { ProcessIdentity } from './processes.ts';

/** The process that has this pid now; undefined if there is none. */
export function identify(pid: number): ProcessIdentity | undefined {
  const startTime = thisPlatform().startTime(pid);
  return startTime === undefined ? undefined : identityOf(pid, startTime);
}

/** Identity of a process of this boot and this PID namespace. */
export function identityOf(pid: number, startTime: string): ProcessIdentity {
  const platform = thisPlatform();
  const namespace = platform.pidNamespace();
  return { pid, startTime, bootId: platform.bootId(), ...(namespace === '' ? {} : { pidNamespace: namespace }) };
}

/**
 * If one of the two does not know its namespace, they count as the same, as they did before namespaces were recorded.
 */
export function isElsewhere({ bootId, pidNamespace: namespace = '' }: ProcessIdentity): boolean {
  const platform = thisPlatform();
  const own = platform.pidNamespace();
  return bootId === platform.bootId() && namespace !== '' && own !== '' && namespace !== own;
}

const FIRST_PID = 1;

/** As `Processes.sessionLeader`. */
export function sessionLeader(): ProcessIdentity {
  // The session leader, or the parent, may be outside the PID namespace, and is 0 then; the namespace's first process
  // stays as long as the namespace.
  for (const pid of [thisPlatform().sessionLeader() ?? 0, process.ppid, FIRST_PID]) {
    const found = pid > 0 ? identify(pid) : undefined;
    if (found) return found;
  }
  return identityOf(process.ppid, '');
}
