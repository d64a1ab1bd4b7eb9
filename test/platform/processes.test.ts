// The basis of the promises, tested on the real system: `npm run test:platform`. docs/platforms.md says what to send
// back.
import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { nodeHost } from '../../src/host/node-host.ts';
import type { ProcessIdentity } from '../../src/host/processes.ts';
import { actorLayout, roomLayout } from '../../src/message/layout.ts';
import { createCliRoom } from '../cli/cli-room.ts';
import { until } from '../hostile/until.ts';
import { bundleJobs } from '../jobs/bundled-jobs.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const { processes, clock } = nodeHost;
const why = processes.whyBlind();
console.log(
  [
    `${os.type()} ${os.release()} ${os.arch()}, ${os.version()}; Node ${process.version}`,
    `this process: ${JSON.stringify(processes.self())}`,
    `start times, sessions and process trees: ${why === undefined ? 'known' : `unknown, ${why}`}`,
  ].join('\n'),
);

const started = new Set<ChildProcess>();
afterEach(() => {
  for (const { pid } of started) signalGroup(pid);
  started.clear();
});

function signalGroup(pid = 0): void {
  try {
    if (pid > 1) process.kill(-pid, 'SIGKILL');
  } catch {
    // Already ended.
  }
}

/** A program in a session of its own, with what it prints. */
function start(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): { child: ChildProcess; told: () => string } {
  const child = spawn(file, args, { detached: true, stdio: ['ignore', 'pipe', 'inherit'], env });
  started.add(child);
  let told = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (told += text));
  return { child, told: () => told };
}

const ended = (child: ChildProcess): Promise<void> => new Promise((resolve) => child.once('exit', () => resolve()));
const STAY = 'setInterval(() => {}, 1000)';

test('macOS and Linux tell which processes run, and Windows does not', () => {
  expect(why === undefined).toBe(process.platform !== 'win32');
});

test('the clock counts since the machine started', () => {
  const before = clock.uptimeMs();
  expect(Math.abs(before - os.uptime() * 1_000)).toBeLessThan(120_000);
  expect(clock.uptimeMs()).toBeGreaterThanOrEqual(before);
});

describe.skipIf(why !== undefined)('a process', () => {
  test('has a start time and a boot id, the same ones whenever asked, even right after its start', async () => {
    const { child } = start(process.execPath, ['-e', STAY]);
    const first = processes.identify(child.pid ?? 0);
    expect(first).toMatchObject({
      pid: child.pid,
      startTime: expect.stringMatching(/\d/),
      bootId: expect.stringMatching(/./),
    });
    expect(processes.self()).toMatchObject({ pid: process.pid, bootId: first?.bootId });
    expect(processes.parent().pid).toBe(process.ppid);
    await clock.sleep(1_100);
    expect(processes.identify(child.pid ?? 0)).toEqual(first);
    expect(first && processes.isAlive(first)).toBe(true);
    // Another process that reuses its pid.
    expect(first && processes.isAlive({ ...first, startTime: `${first.startTime}0` })).toBe(false);
    expect(first && processes.isAlive({ ...first, bootId: 'an earlier one' })).toBe(false);
    child.kill('SIGKILL');
    await ended(child);
    expect(processes.identify(child.pid ?? 0)).toBeUndefined();
    expect(first && processes.isAlive(first)).toBe(false);
  });

  test('that is a zombie has ended', async () => {
    // The program that replaces the shell never waits for its child.
    const { told } = start('sh', ['-c', 'sleep 300 & echo $!; exec sleep 300']);
    await until('the child is there', () => told().includes('\n'));
    const pid = Number(told());
    const child = processes.identify(pid);
    expect(child).toBeDefined();
    process.kill(pid, 'SIGKILL');
    await until('it has ended', () => processes.identify(pid) === undefined);
    // Its pid is not free: kill(2) still finds it.
    expect(() => process.kill(pid, 0)).not.toThrow();
    expect(child && processes.isAlive(child)).toBe(false);
  });

  test('that another user runs is alive', () => {
    expect(processes.identify(1)?.startTime).toMatch(/\d/);
  });

  test('many are distinguished in one go', () => {
    const pids = Array.from({ length: 20 }, () => start('sleep', ['300']).child.pid ?? 0);
    const beganMs = performance.now();
    const found = pids.map((pid) => processes.identify(pid));
    console.log(`20 processes in ${Math.round(performance.now() - beganMs)} ms`);
    expect(found.map((one) => one?.pid)).toEqual(pids);
  });

  test('that works in a directory is found by its name and its words', () => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-cwd-'));
    try {
      const child = spawn('sleep', ['299'], { cwd: directory, detached: true, stdio: 'ignore' });
      started.add(child);
      expect(processes.worksIn(directory, { name: 'sleep', without: [] })).toBe(true);
      expect(processes.worksIn(directory, { name: 'sleep', without: ['299'] })).toBe(false);
      expect(processes.worksIn(directory, { name: 'slee', without: [] })).toBe(false);
      expect(processes.worksIn(path.dirname(directory), { name: 'sleep', without: [] })).toBe(false);
    } finally {
      fs.rmSync(directory, { recursive: true });
    }
  });
});

describe.skipIf(why !== undefined)('a session', () => {
  test('belongs to its leader: an agent keeps its name when the shell of one command has ended', async () => {
    using room = await createCliRoom({ agents: [] });
    const { child, told } = start(
      'sh',
      ['-c', `cd '${room.directory}'; sh -c 'mailroom join alice; true'; sleep 300; true`],
      room.env,
    );
    await until('alice has joined', () => told().includes('MAILROOM_AS=alice'));
    const card = actorLayout(roomLayout(room.room), 'alice').card;
    const { process: on } = JSON.parse(fs.readFileSync(card, 'utf8')) as { process: ProcessIdentity };
    expect(on.pid).toBe(child.pid);
    expect(await room.run(['join', 'alice'])).toMatchObject({ code: 6 });
    signalGroup(child.pid);
    await ended(child);
    expect(await room.run(['join', 'alice'])).toMatchObject({ code: 0 });
  });
});

describe.skipIf(why !== undefined)('a job', () => {
  test('takes along processes that left its group and its session, when it is ended', async () => {
    using bundled = await bundleJobs();
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-platform-job-'));
    try {
      const pids = path.join(directory, 'pids');
      // It writes once all are there, and thereby exceeds the limit.
      const args = [path.join(ROOT, 'fixtures/jobs/escaping.mjs'), pids];
      const spec = { file: process.execPath, args, cwd: directory, outputBytesMax: 1 };
      const { signal } = new AbortController();
      const options = { directory: path.join(directory, 'job'), spec, onCrash: 'fail' as const, signal };
      expect(await bundled.jobs.runJob(nodeHost, options)).toMatchObject({ limit: 'output' });
      const left = fs.readFileSync(pids, 'utf8').trim().split('\n').map(Number);
      expect(left).toHaveLength(2);
      expect(left.map((pid) => processes.identify(pid))).toEqual([undefined, undefined]);
    } finally {
      fs.rmSync(directory, { recursive: true });
    }
  });

  test('is found by its mark when the process that led it has ended', async () => {
    const mark = `MAILROOM_JOB=platform-${process.pid}`;
    const [name = '', value = ''] = mark.split('=');
    // Not a program of Apple's: the system hides the environment of those.
    const line = `'${process.execPath}' -e '${STAY}' & echo $!; read -r line`;
    const child = spawn('sh', ['-c', line], {
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, [name]: value },
    });
    started.add(child);
    let told = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (told += text));
    const leader = processes.identify(child.pid ?? 0);
    if (!leader) throw new Error('it ended at once');
    await until('its child is there', () => told.includes('\n'));
    const count = (marked: string, of = leader): number | undefined =>
      processes.signalTree({ leader: of, mark: marked }, { scope: 'session' });
    await until('both are counted', () => count(mark) === 2);
    child.stdin.end();
    await ended(child);
    expect(count(mark)).toBe(1);
    expect(count(`${mark}0`)).toBe(0);
    expect(count(mark, { ...leader, bootId: 'an earlier one' })).toBe(0);
    expect(processes.signalTree({ leader, mark }, { scope: 'session', signal: 'SIGKILL' })).toBe(1);
    await until('it has ended', () => processes.identify(Number(told)) === undefined);
  });

  test('does not include a process that only has the mark among its arguments', async () => {
    const mark = `MAILROOM_JOB=argument-${process.pid}`;
    const { child } = start(process.execPath, ['-e', STAY, mark]);
    const leader = { ...processes.self(), pid: 99_999_999, startTime: 'none' };
    expect(processes.signalTree({ leader, mark }, { scope: 'marked', signal: 'SIGKILL' })).toBe(0);
    expect(processes.identify(child.pid ?? 0)).toBeDefined();
  });
});
