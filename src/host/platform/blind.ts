import { errnoOf } from '../file-system.ts';
import type { ProcessIdentity } from '../processes.ts';
import type { Platform } from './platform.ts';

/** A system that only tells whether a pid is in use, such as Windows, or Linux without a proc(5). */
export const blind: Platform = {
  bootId: () => '',
  isThisBoot: (boot) => boot === '',
  pidNamespace: () => '',
  startTime: (pid) => (isInUse(pid) ? '' : undefined),
  sessionLeader: () => undefined,
  isRunning: (identity) => isStillThere(blind, identity),
  findTree: () => undefined,
  worksIn: () => false,
  // Loaded on demand, because most processes never need it and loading takes time.
  uptimeMs: () => Math.round(process.getBuiltinModule('node:os').uptime() * 1000),
  whyBlind: () => `${process.platform} has no interface for it that Mailroom uses`,
};

/**
 * A process of an earlier boot has ended. One of this boot runs if its pid is in use, with the recorded start time if
 * there is one.
 */
export function isStillThere(platform: Platform, { pid, startTime, bootId }: ProcessIdentity): boolean {
  if (!platform.isThisBoot(bootId)) return false;
  const found = platform.startTime(pid);
  return found !== undefined && (startTime === '' || found === startTime);
}

export function isInUse(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it exists, and runs as another user.
    return errnoOf(error) !== 'ESRCH';
  }
  return true;
}
