import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { until } from '../processes/child.ts';
import { workers } from './asking.ts';
import {
  counting,
  expectNoProcess,
  pidsOf,
  rejectionOf,
  runsOf,
  shell,
  STUBBORN,
  STUBBORN_PROCESSES,
  useJobs,
} from './job-bench.ts';

const bench = useJobs();
const CANCELLED = 9;

describe('cancelling', () => {
  it('leaves no process and no result, and is idempotent', async () => {
    const directory = bench.directory();
    const spec = counting(directory, STUBBORN);
    const waiting = rejectionOf(bench.run(directory, spec));
    await until('all of it runs', () => pidsOf(directory).length >= STUBBORN_PROCESSES);
    await Promise.all([bench.cancel(directory), bench.cancel(directory)]);
    expect(pidsOf(directory)).toEqual([]);
    await bench.cancel(directory);
    expect(await waiting).toMatchObject({ name: 'JobFailed', reason: 'cancelled' });
    expect(await rejectionOf(bench.run(directory, spec))).toMatchObject({ reason: 'cancelled' });
    expect(runsOf(directory)).toBe(1);
  });

  it('at any time prevents the command from running, or ends it', async () => {
    let ran = 0;
    const startMs = performance.now();
    await bench.run(bench.directory(), shell('true'));
    const usualMs = performance.now() - startMs;
    // Several concurrent runs take longer than one alone.
    const delays = Array.from({ length: CANCELLED }, (_, index) => (index * 3 * usualMs) / CANCELLED);
    const left = [...delays];
    await workers(async () => {
      for (let delayMs = left.pop(); delayMs !== undefined; delayMs = left.pop()) {
        const directory = bench.directory();
        const waiting = rejectionOf(bench.run(directory, counting(directory, 'exec sleep 300')));
        await sleep(delayMs);
        await bench.cancel(directory);
        const runs = runsOf(directory);
        expect(await waiting).toMatchObject({ reason: 'cancelled' });
        await expectNoProcess(directory);
        expect(runsOf(directory)).toBe(runs);
        expect(runs).toBeLessThanOrEqual(1);
        ran += runs;
      }
    });
    console.log(`cancelled at ${delays.length} times, ${ran} of them after the command had begun`);
  });

  it('is a no-op if there is no job, or it has ended', async () => {
    const directory = bench.directory();
    await bench.cancel(directory);
    expect(fs.existsSync(directory)).toBe(false);
    await bench.run(directory, shell('true'));
    await bench.cancel(directory);
  });
});

describe('aborting the signal', () => {
  it('ends the wait but not the command', async () => {
    const directory = bench.directory();
    const spec = counting(directory, 'sleep 0.2; echo done');
    const wait = new AbortController();
    const waiting = rejectionOf(bench.run(directory, spec, { signal: wait.signal }));
    await until('it runs', () => runsOf(directory) === 1);
    const reason = new Error('enough');
    wait.abort(reason);
    expect(await waiting).toBe(reason);
    expect(pidsOf(directory).length).toBeGreaterThan(0);
    expect((await bench.run(directory, spec)).stdout).toBe('done\n');
    expect(runsOf(directory)).toBe(1);
  });

  it('before the start starts nothing', async () => {
    const directory = bench.directory();
    await rejectionOf(bench.run(directory, shell('true'), { signal: AbortSignal.abort() }));
    expect(fs.existsSync(path.dirname(directory))).toBe(false);
  });
});
