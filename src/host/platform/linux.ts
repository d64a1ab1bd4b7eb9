import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { realPathOf } from '../real-path.ts';
import type { ProcessTree, TreeSignal } from '../processes.ts';
import { blind, isStillThere } from './blind.ts';
import type { FoundTree, Platform } from './platform.ts';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** proc(5). If it is hidden, all that is known is whether a pid is in use. */
export const linux: Platform = {
  bootId,
  isThisBoot: (boot) => boot === bootId(),
  pidNamespace,
  startTime: (pid) => {
    const fields = statFields(pid);
    if (fields) return hasEnded(fields) ? undefined : (fields[START_TIME] ?? '');
    return hasProc() ? undefined : blind.startTime(pid);
  },
  sessionLeader: () => Number(statFields(process.pid)?.[SESSION] ?? 0) || undefined,
  isRunning: (identity) => isStillThere(linux, identity),
  findTree,
  worksIn,
  uptimeMs: () => blind.uptimeMs(),
  whyBlind: () => (hasProc() ? undefined : '/proc is missing, or belongs to another PID namespace'),
};

const STATE = 0;
/** Indexes into the result of `statFields`. */
const GROUP = 2;
const SESSION = 3;
const START_TIME = 19;

/** A zombie has ended; it only waits for its parent to look. */
function hasEnded(fields: readonly string[]): boolean {
  return fields[STATE] === 'Z' || fields[STATE] === 'X';
}

/** The fields of proc(5) `stat` from the third (state) on; undefined if there is no such process, or no proc. */
function statFields(pid: number): string[] | undefined {
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
/** Whether there is a proc(5) that shows this PID namespace: one mounted outside of it has other pids. */
function hasProc(): boolean {
  isProcOurs ??= Number(linkText('/proc/self')) === process.pid;
  return isProcOurs;
}

let knownPidNamespace: string | undefined;
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
function bootId(): string {
  if (knownBootId === undefined) {
    try {
      knownBootId = readFileSync(BOOT_ID, 'latin1').trim();
    } catch {
      knownBootId = '';
    }
  }
  return knownBootId;
}

interface ProcEntry {
  readonly pid: number;
  readonly group: number;
  readonly session: number;
  readonly startTime: string;
  readonly isEnded: boolean;
}

/**
 * The kernel gives a session's number to no other session while one member lives. So a session with the leader's number
 * is the leader's own, or began after the leader's had ended. The mark tells which, and so does a process that has the
 * leader's pid and another start time.
 */
function findTree({ leader, mark }: ProcessTree, scope: TreeSignal['scope']): FoundTree | undefined {
  const all = listProcesses();
  if (!all) return undefined;
  const isReused = all.some(({ pid, startTime }) => pid === leader.pid && startTime !== leader.startTime);
  const running = all.filter(({ pid, isEnded }) => !isEnded && pid !== process.pid);
  const session = isReused ? [] : running.filter((one) => one.session === leader.pid);
  const isOwn = all.some(({ pid, session: of }) => of === leader.pid && bearsMark(pid, mark));
  const members = isOwn ? session : [];
  const strays = scope === 'marked' ? running.filter((one) => !members.includes(one) && bearsMark(one.pid, mark)) : [];
  return { members, strays, ownGroup: all.find(({ pid }) => pid === process.pid)?.group };
}

/** Every process; undefined without a proc. */
function listProcesses(): ProcEntry[] | undefined {
  if (!statFields(process.pid)) return undefined;
  const listed: ProcEntry[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const fields = Number.isInteger(pid) ? statFields(pid) : undefined;
    if (!fields) continue;
    const startTime = fields[START_TIME] ?? '';
    listed.push({
      pid,
      group: Number(fields[GROUP]),
      session: Number(fields[SESSION]),
      startTime,
      isEnded: hasEnded(fields),
    });
  }
  return listed;
}

/** Whether the process was started with the mark in its environment; never visible for another user's process. */
function bearsMark(pid: number, mark: string): boolean {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'utf8')}`.includes(`\0${mark}\0`);
  } catch {
    return false;
  }
}

function worksIn(directory: string, { name, without }: { name: string; without: readonly string[] }): boolean {
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
