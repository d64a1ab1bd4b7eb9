import { describe, expect, it } from 'vitest';
import { pidsOf, shell, STUBBORN, useJobs } from './job-bench.ts';

const bench = useJobs();

describe('a timeout', () => {
  it('ends everything, even processes that ignore SIGTERM or left the session', async () => {
    const directory = bench.directory();
    const result = await bench.run(directory, { ...shell(`echo begun; ${STUBBORN}`), timeoutMs: 300 });
    expect(result).toMatchObject({ exitCode: null, signal: 'SIGKILL', timedOut: true, stdout: 'begun\n' });
    expect(result.durationMs).toBeGreaterThanOrEqual(2_290);
    expect(pidsOf(directory)).toEqual([]);
  });

  it('lets a command end in its own way', async () => {
    const directory = bench.directory();
    const script = "trap 'echo tidy; exit 9' TERM; while :; do sleep 0.01; done";
    const result = await bench.run(directory, { ...shell(script), timeoutMs: 200 });
    expect(result).toMatchObject({ exitCode: 9, signal: null, timedOut: true, stdout: 'tidy\n' });
    expect(result.durationMs).toBeLessThan(2_000);
  });

  it('is enforced by a host when the wrapper is stopped', async () => {
    const directory = bench.directory();
    const script = 'kill -STOP $PPID; sleep 300';
    const result = await bench.run(directory, { ...shell(script), timeoutMs: 10 });
    expect(result).toMatchObject({ exitCode: null, timedOut: true });
    expect(pidsOf(directory)).toEqual([]);
  });
});
