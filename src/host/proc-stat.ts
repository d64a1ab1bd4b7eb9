import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { realPathOf } from './real-path.ts';
import type { ProcessIdentity } from './processes.ts';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** Who has this pid now; undefined when nobody runs under it. */
export function identify(pid: number): ProcessIdentity | undefined {
  const fields = statFields(pid);
  if (fields) return hasEnded(fields) ? undefined : identityOf(pid, fields[START_TIME] ?? '');
  if (hasProc()) return undefined;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return undefined;
  }
  return identityOf(pid, '');
}

/** A process of this boot and this PID namespace. */
export function identityOf(pid: number, startTime: string): ProcessIdentity {
  const namespace = pidNamespace();
  return { pid, startTime, bootId: bootId(), ...(namespace === '' ? {} : { pidNamespace: namespace }) };
}

/** A zombie has ended; it only waits for its parent to look. */
export function hasEnded(fields: readonly string[]): boolean {
  return fields[STATE] === 'Z' || fields[STATE] === 'X';
}

const STATE = 0;
/** Where these are in what `statFields` returns. */
export const GROUP = 2;
export const SESSION = 3;
export const START_TIME = 19;

/** The fields of proc(5) `stat` from the third (state) on; undefined when there is no such process, or no proc. */
export function statFields(pid: number): string[] | undefined {
  if (!hasProc()) return undefined;
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The second field, the name, is in parentheses and may hold any character.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

let isProcOurs: boolean | undefined;
/** Whether there is a proc(5), and it shows this PID namespace: one that was mounted outside of it has other pids. */
function hasProc(): boolean {
  isProcOurs ??= Number(linkText('/proc/self')) === process.pid;
  return isProcOurs;
}

let knownPidNamespace: string | undefined;
/** The number of this process's own; '' where the system does not tell. */
function pidNamespace(): string {
  knownPidNamespace ??= NAMESPACE.exec(linkText('/proc/self/ns/pid'))?.[1] ?? '';
  return knownPidNamespace;
}

const NAMESPACE = /^pid:\[(\d+)\]$/;

function linkText(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

let knownBootId: string | undefined;
export function bootId(): string {
  if (knownBootId === undefined) {
    try {
      knownBootId = readFileSync(BOOT_ID, 'latin1').trim();
    } catch {
      knownBootId = '';
    }
  }
  return knownBootId;
}

/** Where one of the two does not know its namespace, they count as the same, as they did before it was written down. */
export function isElsewhere({ bootId: boot, pidNamespace: namespace = '' }: ProcessIdentity): boolean {
  return boot === bootId() && namespace !== '' && pidNamespace() !== '' && namespace !== pidNamespace();
}

/** As `Processes.worksIn`. */
export function worksIn(directory: string, { name, without }: { name: string; without: readonly string[] }): boolean {
  if (!hasProc()) return false;
  const real = realPathOf(directory);
  return readdirSync('/proc').some((pid) => {
    if (!/^\d+$/.test(pid) || linkText(`/proc/${pid}/cwd`) !== real) return false;
    try {
      if (readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd() !== name) return false;
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return !without.some((word) => words.includes(word));
    } catch {
      // It has ended.
      return false;
    }
  });
}
