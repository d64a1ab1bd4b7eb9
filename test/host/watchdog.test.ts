import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Watchdog } from '../../src/host/watchdog.ts';

const threads = process.getBuiltinModule('node:worker_threads');
const { Worker } = threads;
const made: FakeWorker[] = [];
let nodeWatchdog: Watchdog;

/** What is asked of a thread, without one. */
class FakeWorker {
  isTerminated = false;
  constructor() {
    made.push(this);
  }
  on(): void {}
  unref(): void {}
  postMessage(): void {}
  terminate(): Promise<void> {
    this.isTerminated = true;
    return Promise.resolve();
  }
}

beforeEach(async () => {
  made.length = 0;
  // A watchdog of its own: hosts of other tests in this process may not have ended yet.
  vi.resetModules();
  ({ nodeWatchdog } = await import('../../src/host/node-watchdog.ts'));
  vi.useFakeTimers();
  Object.assign(threads, { Worker: FakeWorker });
});

afterEach(() => {
  vi.useRealTimers();
  Object.assign(threads, { Worker });
});

it('starts no thread for work that ends within a second', () => {
  const first = nodeWatchdog.watch();
  vi.advanceTimersByTime(999);
  first[Symbol.dispose]();
  vi.advanceTimersByTime(60_000);
  expect(made).toEqual([]);
});

it('has one thread for all hosts of a process, from the first second of the first to the end of the last', () => {
  const first = nodeWatchdog.watch();
  const second = nodeWatchdog.watch();
  vi.advanceTimersByTime(1_000);
  const third = nodeWatchdog.watch();
  vi.advanceTimersByTime(60_000);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  third[Symbol.dispose]();
  expect(made.map(({ isTerminated }) => isTerminated)).toEqual([false]);
  second[Symbol.dispose]();
  expect(made.map(({ isTerminated }) => isTerminated)).toEqual([true]);
});

/** Runs a program that can use `nodeWatchdog`, in a process of its own, to its end. */
function runProgram(text: string): { stdout: string; stderr: string; status: number | null; signal: string | null } {
  const module = path.join(import.meta.dirname, '..', '..', 'build', 'host', 'node-watchdog.js');
  const program = `import { nodeWatchdog } from ${JSON.stringify(module)};\n${text}`;
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  return { stdout, stderr, status, signal };
}

/** SIGHUP is the lowest bit. */
const IS_CAUGHT = `
  import fs from 'node:fs';
  const isCaught = () => parseInt(/^SigCgt:.*(.)$/m.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1], 16) & 1;
`;
/** Holds the main thread until the thread hears the signal: nothing else can have taken its default action away. */
const UNTIL_THE_THREAD_HEARS = `${IS_CAUGHT}
  setTimeout(() => {
    while (!isCaught());
    process.kill(process.pid, 'SIGHUP');
  }, 1_000);
`;

it('keeps no process alive', () => {
  const ended = runProgram(`
    nodeWatchdog.hear(['SIGHUP'], () => {});
    setTimeout(() => {}, 1_500);
  `);
  expect(ended).toEqual({ stdout: '', stderr: '', status: 0, signal: null });
});

it.runIf(process.platform === 'linux')('gives a signal its default action back', () => {
  const ended = runProgram(`${IS_CAUGHT}
    const hearing = nodeWatchdog.hear(['SIGHUP'], () => console.log('heard'));
    let wasCaught = false;
    setInterval(() => {
      if (isCaught()) {
        wasCaught = true;
        hearing[Symbol.dispose]();
      } else if (wasCaught) process.kill(process.pid, 'SIGHUP');
    }, 10);
  `);
  expect(ended).toEqual({ stdout: '', stderr: '', status: null, signal: 'SIGHUP' });
});

it.runIf(process.platform === 'linux')('loses no signal that comes before the main thread listens itself', () => {
  const ended = runProgram(`
    nodeWatchdog.hear(['SIGHUP'], (name) => {
      console.log('heard', name);
      process.exit();
    });
    ${UNTIL_THE_THREAD_HEARS}
    setTimeout(() => {}, 60_000);
  `);
  expect(ended).toEqual({ stdout: 'heard SIGHUP\n', stderr: '', status: 0, signal: null });
});

it.runIf(process.platform === 'linux')(
  'ends a process by the first signal while the main thread does not return',
  () => {
    const ended = runProgram(`
    nodeWatchdog.hear(['SIGHUP'], () => console.log('heard'));
    ${UNTIL_THE_THREAD_HEARS}
    setTimeout(() => nodeWatchdog.during({ path: '/nowhere/step', cause: 'a test' }, () => { for (;;); }), 1_000);
  `);
    expect(ended).toMatchObject({ status: null, signal: 'SIGKILL' });
    expect(ended.stderr).toBe(
      'mailroom: ended by SIGHUP within a step on a test that does not return. Nothing is lost.\n',
    );
  },
);
