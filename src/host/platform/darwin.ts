import { errnoOf } from '../file-system.ts';
import type { ProcessIdentity, ProcessTree, TreeSignal } from '../processes.ts';
import { hasWord, parsePs, pidsNamed, type PsRow } from './bsd-output.ts';
import { isInUse } from './blind.ts';
import type { FoundTree, Platform } from './platform.ts';

const PS = '/bin/ps';
const SYSCTL = '/usr/sbin/sysctl';
const LSOF = '/usr/sbin/lsof';
const TOOL_MS_MAX = 10_000;
const TOOL_OUTPUT_BYTES_MAX = 256 * 1024 * 1024;
const COLUMNS = 'pid=,ppid=,pgid=,stat=,lstart=';

/**
 * macOS, through its own tools; docs/platforms.md says what they cannot tell. ps is setuid, and a seatbelt sandbox does
 * not run setuid programs: there no start time is known, and a process that cannot be judged counts as running.
 */
export const darwin: Platform = {
  bootId,
  isThisBoot,
  pidNamespace: () => '',
  startTime,
  sessionLeader,
  isRunning: ({ pid, startTime: started, bootId: boot }: ProcessIdentity) => {
    if (!isThisBoot(boot)) return false;
    const found = startTime(pid);
    return found !== undefined && (started === '' || found === '' || found === started);
  },
  findTree,
  worksIn,
  // All processes agree on libuv's clock for durations (mach_continuous_time). os.uptime() counts whole seconds.
  uptimeMs: () => Math.round(Number(process.hrtime.bigint()) / 1_000_000),
  whyBlind: () => (rowsOf([process.pid]) ? undefined : `${PS} cannot be run here`),
};

let knownBootId: string | undefined;
/** Not kern.boottime, which moves whenever the clock is set (xnu, osfmk/kern/clock.c). */
function bootId(): string {
  knownBootId ??= run(SYSCTL, ['-n', 'kern.bootsessionuuid'])?.text.trim() ?? '';
  return knownBootId;
}

/** An empty id matches: a sandbox may have kept its writer, or this process, from running sysctl. */
function isThisBoot(boot: string): boolean {
  return boot === '' || bootId() === '' || boot === bootId();
}

/** The start times of this process, and of its parent as long as the parent's pid stays the same. */
const kept = new Map<number, string>();

function startTime(pid: number): string | undefined {
  const { pid: own, ppid: parent } = process;
  if (pid !== own && pid !== parent) return startTimeIn(look(pid), pid);
  const known = kept.get(pid);
  if (known !== undefined) return known;
  const rows = rowsOf([own, parent]);
  const found = startTimeIn(rows, pid);
  if (rows) {
    kept.clear();
    for (const { pid: one, startTime: started, isEnded } of rows.values()) if (!isEnded) kept.set(one, started);
  }
  return found;
}

function startTimeIn(rows: Rows | undefined, pid: number): string | undefined {
  if (!rows) return isInUse(pid) ? '' : undefined;
  const row = rows.get(pid);
  return row && !row.isEnded ? row.startTime : undefined;
}

/**
 * The nearest of this process and its ancestors that leads a session: a child whose parent is in another session leads
 * one itself. ps prints no session numbers (its `sess` is a pointer that the kernel leaves empty). If the leader has
 * ended, the chain ends at launchd, which leads its own.
 */
function sessionLeader(): number | undefined {
  const rows = everyRow();
  const passed = new Set<number>();
  for (let row = rows?.get(process.pid); row && row.pid > 1 && !passed.has(row.pid); row = rows?.get(row.parent)) {
    if (row.leadsSession) return row.isEnded ? undefined : row.pid;
    passed.add(row.pid);
  }
  return undefined;
}

/**
 * macOS reports no session numbers, so the members are the leader's process group and its descendants. While the leader
 * lives, both are its own. After that the group is its own if one of its processes has the mark, as with a session on
 * Linux. A process that left the group and was adopted by launchd is found only by its mark, and so is one that left
 * the session.
 */
function findTree({ leader, mark }: ProcessTree, scope: TreeSignal['scope']): FoundTree | 'unsure' | undefined {
  const rows = environments();
  if (!rows) return hasAnswered ? 'unsure' : undefined;
  const bearers = bearersOf(mark, rows);
  const there = rows.get(leader.pid);
  const isReused = there !== undefined && there.startTime !== leader.startTime;
  const group = [...rows.values()].filter((row) => row.group === leader.pid);
  const isOwn = there ? !isReused : group.some(({ pid }) => bearers.has(pid));
  const roots = isOwn ? [leader.pid, ...group.map(({ pid }) => pid)] : [];
  const inSession = descendants(rows, roots, (row) => !row.leadsSession);
  const all = scope === 'marked' ? descendants(rows, [...roots, ...bearers], () => true) : inSession;
  const running = [...all].map((pid) => rows.get(pid)).filter((row) => row && !row.isEnded && row.pid !== process.pid);
  const isMember = (row: PsRow | undefined): row is PsRow => row !== undefined && inSession.has(row.pid);
  const isStray = (row: PsRow | undefined): row is PsRow => row !== undefined && !inSession.has(row.pid);
  const ownGroup = rows.get(process.pid)?.group;
  return { members: running.filter(isMember), strays: running.filter(isStray), ownGroup };
}

/** The roots and their descendants; an unwanted process is left out with everything below it. */
function descendants(rows: Rows, roots: readonly number[], isWanted: (row: PsRow) => boolean): Set<number> {
  const children = new Map<number, PsRow[]>();
  for (const row of rows.values()) children.set(row.parent, [...(children.get(row.parent) ?? []), row]);
  const found = new Set(roots);
  // Processes added meanwhile are visited too.
  for (const pid of found) for (const row of children.get(pid) ?? []) if (isWanted(row)) found.add(row.pid);
  return found;
}

/**
 * `ps -E` prints arguments and environment without a separator, so a process with the mark among its arguments is ruled
 * out.
 */
function bearersOf(mark: string, rows: Rows): Set<number> {
  const named = [...rows.values()].filter((row) => hasWord(row, mark)).map(({ pid }) => pid);
  if (named.length === 0) return new Set();
  const args = rowsOf(named, ['-ww'], `${COLUMNS},command=`);
  const isArgument = (pid: number): boolean => {
    const row = args?.get(pid);
    return row !== undefined && hasWord(row, mark);
  };
  return new Set(named.filter((pid) => !isArgument(pid)));
}

/** By inode: `-f` treats the directory as a file, not as the whole file system that is mounted there. */
function worksIn(directory: string, { name, without }: { name: string; without: readonly string[] }): boolean {
  const listed = run(LSOF, ['-w', '-n', '-P', '-f', '-a', '-d', 'cwd', '-c', name, '-F', 'pc', '--', directory]);
  const pids = pidsNamed(listed?.text ?? '', name);
  const rows = pids.length === 0 ? undefined : rowsOf(pids, ['-ww'], `${COLUMNS},command=`);
  return pids.some((pid) => {
    const row = rows?.get(pid);
    return row !== undefined && !row.isEnded && !without.some((word) => hasWord(row, word));
  });
}

type Rows = ReadonlyMap<number, PsRow>;

/** How long an answer may be reused within code that runs without a break. */
const LOOK_MS_MAX = 100;
let looked: { readonly rows: Rows; readonly isWhole: boolean; readonly atMs: number } | undefined;

/**
 * What ps says about a process now. A caller that asks for a second one without a break is probably walking a list, so
 * the second question is answered from one look at all processes.
 */
function look(pid: number): Rows | undefined {
  if (looked && performance.now() - looked.atMs > LOOK_MS_MAX) looked = undefined;
  if (looked && (looked.isWhole || looked.rows.has(pid))) return looked.rows;
  return looked ? everyRow() : keep(rowsOf([pid]), false);
}

function everyRow(): Rows | undefined {
  return looked?.isWhole ? looked.rows : keep(rowsOf('all'), true);
}

function keep(rows: Rows | undefined, isWhole: boolean): Rows | undefined {
  if (!rows) return undefined;
  if (!looked) queueMicrotask(() => (looked = undefined));
  looked = { rows, isWhole, atMs: performance.now() };
  return rows;
}

/** Every process with its environment, as far as this user may see it. */
function environments(): Rows | undefined {
  return rowsOf('all', ['-ww', '-E'], `${COLUMNS},command=`);
}

/**
 * The rows of these processes, from one run of ps however many there are. Undefined if this process, which is always
 * included, is missing from the output. The row of ps itself is left out.
 */
function rowsOf(pids: readonly number[] | 'all', options: readonly string[] = [], columns = COLUMNS): Rows | undefined {
  const which = pids === 'all' ? ['-ax'] : ['-p', [...new Set([...pids, process.pid])].join(',')];
  const done = run(PS, [...options, ...which, '-o', columns]);
  const rows = parsePs(done?.text ?? '');
  if (!rows.has(process.pid)) return undefined;
  rows.delete(done?.pid ?? 0);
  hasAnswered = true;
  return rows;
}

/** Whether ps has answered before in this process. If so, a failure is temporary. */
let hasAnswered = false;
let canRunPs = true;
/** ps is missing or not allowed. Any other error, such as a full process table, may be temporary. */
const NEVER = new Set(['ENOENT', 'EACCES', 'EPERM']);

/** Runs a tool to its end; undefined when it cannot be run. */
function run(tool: string, args: readonly string[]): { readonly text: string; readonly pid: number } | undefined {
  if (tool === PS && !canRunPs) return undefined;
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const done = spawnSync(tool, args, {
    // Nothing of this process's environment, which may have the mark of a tree. The output is the same for every user.
    env: { LC_ALL: 'C', TZ: 'UTC0' },
    cwd: '/',
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'latin1',
    timeout: TOOL_MS_MAX,
    killSignal: 'SIGKILL',
    maxBuffer: TOOL_OUTPUT_BYTES_MAX,
  });
  if (tool === PS && NEVER.has(errnoOf(done.error) ?? '')) canRunPs = false;
  return done.error ? undefined : { text: done.stdout, pid: done.pid };
}
