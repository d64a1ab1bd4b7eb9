import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Platform } from '../../src/host/platform/platform.ts';
import type { ProcessIdentity } from '../../src/host/processes.ts';

const DARWIN = path.join(import.meta.dirname, '../../src/host/platform/darwin.ts');
const BOOT = '5F2A1B0C-7D33-4C5A-9E0B-0C1D2E3F4A5B';
const EARLY = 'Mon Jan 5 09:03:07 2026';
const LATER = 'Mon Jan 5 10:00:00 2026';
const MARK = 'MAILROOM_JOB=7.1.1/1';
const SELF = process.pid;
const PARENT = process.ppid;
/** The pid of ps, which is a child of its caller, and in the caller's group. */
const PS = 900_001;

interface Row {
  readonly pid: number;
  readonly parent: number;
  readonly group?: number;
  readonly state?: string;
  readonly started?: string;
  readonly args?: string;
  readonly env?: string;
}

/** The processes of a simulated Mac on which this test runs, and how often each tool was started. */
let rows: Row[];
let starts: string[];
let trouble: NodeJS.ErrnoException | undefined;
let darwin: Platform;
let loaded = 0;

function answer(tool: string, args: readonly string[]): { stdout: string; pid: number; error?: Error } {
  starts.push(`${tool} ${args.join(' ')}`);
  if (trouble) return { stdout: '', pid: 0, error: trouble };
  if (tool === '/usr/sbin/sysctl') return { stdout: `${BOOT}\n`, pid: PS };
  const wanted = args.includes('-p') ? new Set(args[args.indexOf('-p') + 1]?.split(',').map(Number)) : undefined;
  const all = [...rows, { pid: PS, parent: SELF, group: SELF, args: '/bin/ps', env: '' }];
  const lines = all
    .filter(({ pid }) => wanted?.has(pid) ?? true)
    .map(({ pid, parent, group = pid, state = 'S', started = EARLY, args: words = 'a', env = '' }) => {
      const command = args.at(-1)?.endsWith('command=')
        ? ` ${words}${args.includes('-E') && env ? ` ${env}` : ''}`
        : '';
      return `${pid} ${parent} ${group} ${state} ${started.padEnd(28)}${command}`;
    });
  return { stdout: lines.join('\n'), pid: PS };
}

beforeEach(async () => {
  rows = [
    { pid: 1, parent: 0, state: 'Ss' },
    { pid: PARENT, parent: 1, state: 'Ss' },
    { pid: SELF, parent: PARENT },
  ];
  starts = [];
  trouble = undefined;
  const real = process.getBuiltinModule.bind(process);
  vi.spyOn(process, 'getBuiltinModule').mockImplementation((name: string) =>
    name === 'node:child_process' ? { spawnSync: answer } : real(name),
  );
  // Each test gets a module without cached state, and no other module is reloaded.
  ({ darwin } = (await import(/* @vite-ignore */ `${DARWIN}?${(loaded += 1)}`)) as { darwin: Platform });
});
afterEach(() => vi.restoreAllMocks());

const leader: ProcessIdentity = { pid: 5_000, startTime: EARLY, bootId: BOOT };
/**
 * A wrapper, its command, and the processes it started: in its own group, in its own session, and adopted by launchd.
 */
const TREE: readonly Row[] = [
  { pid: 5_000, parent: 1, state: 'Ss', args: 'node wrapper.js', env: MARK },
  { pid: 5_001, parent: 5_000, group: 5_000, args: 'sh -c build' },
  { pid: 5_002, parent: 5_001, args: 'sleep 9' },
  { pid: 5_003, parent: 5_001, state: 'Ss', args: 'node daemon.js', env: MARK },
  { pid: 5_004, parent: 5_003, group: 5_003, args: 'sleep 9' },
  { pid: 5_005, parent: 1, state: 'Ss', args: 'node orphan.js', env: `HOME=/x ${MARK} TERM=y` },
  { pid: 5_006, parent: 5_001, group: 5_000, state: 'Z', args: '<defunct>' },
  // Unrelated processes that only look similar.
  { pid: 6_000, parent: 1, args: `grep ${MARK}` },
  { pid: 6_001, parent: 1, args: 'node other.js', env: `${MARK}0 X${MARK}` },
];

function found(scope: 'session' | 'marked', of = leader): unknown {
  const tree = darwin.findTree({ leader: of, mark: MARK }, scope);
  if (tree === undefined || tree === 'unsure') return tree;
  const pids = (list: readonly { pid: number }[]): number[] => list.map(({ pid }) => pid).toSorted((a, b) => a - b);
  return { members: pids(tree.members), strays: pids(tree.strays) };
}

describe('the tree of a job', () => {
  test('is the group of its leader and its descendants, and with the mark also processes that left', () => {
    rows.push(...TREE);
    expect(found('session')).toEqual({ members: [5_000, 5_001, 5_002], strays: [] });
    expect(found('marked')).toEqual({ members: [5_000, 5_001, 5_002], strays: [5_003, 5_004, 5_005] });
  });

  test('is recognised without its leader by a mark in its group', () => {
    rows.push(...TREE.filter(({ pid }) => pid !== 5_000));
    // All that is left are programs of Apple, whose environment is hidden.
    expect(found('session')).toEqual({ members: [], strays: [] });
    expect(found('marked')).toEqual({ members: [], strays: [5_003, 5_004, 5_005] });
    rows.push({ pid: 5_007, parent: 1, group: 5_000, args: 'node left.js', env: MARK });
    expect(found('session')).toEqual({ members: [5_001, 5_002, 5_007], strays: [] });
  });

  test('does not include a process that reuses the pid of its leader, or the group of that process', () => {
    rows.push(...TREE.map((row) => (row.pid === 5_000 ? { ...row, started: LATER, env: '' } : row)));
    expect(found('session')).toEqual({ members: [], strays: [] });
    expect(found('marked')).toEqual({ members: [], strays: [5_003, 5_004, 5_005] });
    expect(found('session', { ...leader, startTime: '' })).toEqual({ members: [], strays: [] });
  });

  test('never includes this process, or the ps that it starts', () => {
    rows = rows.map((row) => (row.pid === SELF ? { ...row, group: SELF, state: 'Ss', env: MARK } : row));
    rows.push({ pid: 5_001, parent: SELF, group: SELF });
    const own = { ...leader, pid: SELF };
    expect(found('marked', own)).toEqual({ members: [5_001], strays: [] });
    expect(darwin.findTree({ leader: own, mark: MARK }, 'session')).toMatchObject({ ownGroup: SELF });
  });

  test('is searched again after ps failed once, and by group only if ps never answers', () => {
    trouble = Object.assign(new Error('no room for a process'), { code: 'EAGAIN' });
    expect(found('session')).toBeUndefined();
    trouble = undefined;
    expect(found('session')).toEqual({ members: [], strays: [] });
    trouble = Object.assign(new Error('no room for a process'), { code: 'EAGAIN' });
    expect(found('session')).toBe('unsure');
  });
});

describe('a session', () => {
  test('belongs to the nearest ancestor that leads one', () => {
    expect(darwin.sessionLeader()).toBe(PARENT);
    expect(starts).toHaveLength(1);
  });

  test('whose leader has ended has none: launchd leads another', () => {
    rows = rows.map((row) => (row.pid === PARENT ? { ...row, state: 'S' } : row));
    expect(darwin.sessionLeader()).toBeUndefined();
  });

  test('of processes that name each other as parent is searched only once around', () => {
    rows = rows.map((row) => (row.pid === PARENT ? { ...row, parent: SELF, state: 'S' } : row));
    expect(darwin.sessionLeader()).toBeUndefined();
  });
});

describe('a process', () => {
  test.each([
    ['itself', { pid: SELF, startTime: EARLY, bootId: BOOT }, true],
    ['another start', { pid: SELF, startTime: LATER, bootId: BOOT }, false],
    ['another boot', { pid: SELF, startTime: EARLY, bootId: 'an earlier one' }, false],
    ['a boot that its writer did not know', { pid: SELF, startTime: EARLY, bootId: '' }, true],
    ['a start that its writer did not know', { pid: SELF, startTime: '', bootId: BOOT }, true],
    ['nobody', { pid: 7_000, startTime: EARLY, bootId: BOOT }, false],
  ])('is distinguished from %s', (_who, identity, isRunning) => {
    expect(darwin.isRunning(identity)).toBe(isRunning);
  });

  test('that cannot be judged counts as running while its pid is in use', () => {
    trouble = Object.assign(new Error('Operation not permitted'), { code: 'EPERM' });
    expect(darwin.whyBlind()).toBe('/bin/ps cannot be run here');
    expect(darwin.isRunning({ pid: SELF, startTime: LATER, bootId: 'another' })).toBe(true);
    expect(darwin.isRunning({ pid: 99_999_999, startTime: EARLY, bootId: BOOT })).toBe(false);
    expect(starts.filter((one) => one.startsWith('/bin/ps'))).toHaveLength(1);
  });

  test('is asked for together with all others from the second question on, and again in the next stretch of code', async () => {
    rows.push(
      { pid: 7_001, parent: 1 },
      { pid: 7_002, parent: 1, state: 'Z+' },
      { pid: 7_003, parent: 1, started: LATER },
    );
    expect([7_001, 7_002, 7_003, 7_004].map((pid) => darwin.startTime(pid))).toEqual([
      EARLY,
      undefined,
      LATER,
      undefined,
    ]);
    expect(starts.map((one) => one.includes('-ax'))).toEqual([false, true]);
    await Promise.resolve();
    rows = rows.filter(({ pid }) => pid !== 7_001);
    expect(darwin.startTime(7_001)).toBeUndefined();
    expect(starts).toHaveLength(3);
  });

  test('and its parent are asked for once', async () => {
    expect(darwin.startTime(SELF)).toBe(EARLY);
    await Promise.resolve();
    expect([darwin.startTime(PARENT), darwin.startTime(SELF)]).toEqual([EARLY, EARLY]);
    expect(starts).toHaveLength(1);
  });
});
