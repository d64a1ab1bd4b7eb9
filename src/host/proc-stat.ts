import { existsSync, readFileSync } from 'node:fs';
import type { ProcessIdentity } from './processes.ts';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** Who has this pid now; undefined when nobody runs under it. */
export function identify(pid: number): ProcessIdentity | undefined {
  const fields = statFields(pid);
  if (fields) return hasEnded(fields) ? undefined : { pid, startTime: fields[START_TIME] ?? '', bootId: bootId() };
  if (existsSync('/proc/self/stat')) return undefined;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return undefined;
  }
  return { pid, startTime: '', bootId: '' };
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
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The second field, the name, is in parentheses and may hold any character.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
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
