import { thisPlatform } from './platform/this-platform.ts';
import type { ProcessIdentity } from './processes.ts';

/** Who has this pid now; undefined when nobody runs under it. */
export function identify(pid: number): ProcessIdentity | undefined {
  const startTime = thisPlatform().startTime(pid);
  return startTime === undefined ? undefined : identityOf(pid, startTime);
}

/** A process of this boot and this PID namespace. */
export function identityOf(pid: number, startTime: string): ProcessIdentity {
  const platform = thisPlatform();
  const namespace = platform.pidNamespace();
  return { pid, startTime, bootId: platform.bootId(), ...(namespace === '' ? {} : { pidNamespace: namespace }) };
}

/** Where one of the two does not know its namespace, they count as the same, as they did before it was written down. */
export function isElsewhere({ bootId, pidNamespace: namespace = '' }: ProcessIdentity): boolean {
  const platform = thisPlatform();
  const own = platform.pidNamespace();
  return bootId === platform.bootId() && namespace !== '' && own !== '' && namespace !== own;
}

const FIRST_PID = 1;

/** As `Processes.sessionLeader`. */
export function sessionLeader(): ProcessIdentity {
  // What leads the session, or has started this, may be outside of the PID namespace, and is 0 then; the first process of
  // that stays as long as it.
  for (const pid of [thisPlatform().sessionLeader() ?? 0, process.ppid, FIRST_PID]) {
    const found = pid > 0 ? identify(pid) : undefined;
    if (found) return found;
  }
  return identityOf(process.ppid, '');
}
