import { readFileSync, readdirSync } from 'node:fs';
import { errnoOf } from './file-system.ts';
import { bootId, GROUP, hasEnded, isElsewhere, SESSION, START_TIME, statFields } from './proc-stat.ts';
import type { ProcessTree, TreeSignal } from './processes.ts';

/**
 * Sends a signal to every process of the tree but this one, and returns how many there were.
 *
 * The kernel gives the number of a session to nobody else while one member lives, so a session under the leader's number
 * is the leader's own, or one that began after the leader's had ended. The mark tells which, and so does a process that
 * has the leader's pid and another start time.
 */
export function signalTree({ leader, mark }: ProcessTree, { signal, scope }: TreeSignal): number | undefined {
  // No process outlives its boot, and elsewhere its pid is another's.
  if (leader.bootId !== bootId() || isElsewhere(leader)) return 0;
  const all = listProcesses();
  if (!all) return signalGroup(leader.pid, signal);
  const isReused = all.some(({ pid, startTime }) => pid === leader.pid && startTime !== leader.startTime);
  const running = all.filter(({ pid, isEnded }) => !isEnded && pid !== process.pid);
  const session = isReused ? [] : running.filter((one) => one.session === leader.pid);
  const isOwn = all.some(({ pid, session: of }) => of === leader.pid && bearsMark(pid, mark));
  const members = isOwn ? session : [];
  const strays = scope === 'marked' ? running.filter((one) => !members.includes(one) && bearsMark(one.pid, mark)) : [];
  if (signal) {
    const ownGroup = all.find(({ pid }) => pid === process.pid)?.group;
    // By group where possible: the kernel lets nobody slip away by a fork meanwhile.
    const groups = new Set(members.map(({ group }) => group).filter((group) => group !== ownGroup));
    for (const group of groups) send(-group, signal);
    for (const { pid, group } of [...members, ...strays]) if (!groups.has(group)) send(pid, signal);
  }
  return members.length + strays.length;
}

interface Listed {
  readonly pid: number;
  readonly group: number;
  readonly session: number;
  readonly startTime: string;
  readonly isEnded: boolean;
}

/** Every process; undefined where there is no proc. */
function listProcesses(): Listed[] | undefined {
  if (!statFields(process.pid)) return undefined;
  const listed: Listed[] = [];
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

/** Whether the environment that the process was started with has the mark; that of another user's is never seen. */
function bearsMark(pid: number, mark: string): boolean {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'utf8')}`.includes(`\0${mark}\0`);
  } catch {
    return false;
  }
}

/** Without proc: the group of the leader, which holds what did not make one of its own. */
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
