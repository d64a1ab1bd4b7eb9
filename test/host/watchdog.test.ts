import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { nodeWatchdog } from '../../src/host/node-watchdog.ts';

const threads = process.getBuiltinModule('node:worker_threads');
const { Worker } = threads;
const made: FakeWorker[] = [];

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

beforeEach(() => {
  made.length = 0;
  vi.useFakeTimers();
  Object.assign(threads, { Worker: FakeWorker });
});

afterEach(() => {
  vi.useRealTimers();
  Object.assign(threads, { Worker });
});

it('starts no thread for what is over within a second', () => {
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

it('keeps no process alive', () => {
  const module = path.join(import.meta.dirname, '..', '..', 'build', 'host', 'node-watchdog.js');
  const program = `
    import { nodeWatchdog } from ${JSON.stringify(module)};
    await new Promise((resolve) => {
      const alive = setInterval(() => {}, 1_000);
      nodeWatchdog.guard([], () => {
        clearInterval(alive);
        resolve();
      });
    });
    console.log('guarded');
  `;
  vi.useRealTimers();
  const { stdout, status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  expect([stdout, stderr, status]).toEqual(['guarded\n', '', 0]);
});
