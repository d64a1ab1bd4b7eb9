import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pidsOf, shell, STUBBORN, useJobs } from './job-bench.ts';

const bench = useJobs();

describe('the input of a command', () => {
  it('is exactly the given text, even if it is long', async () => {
    const text = `${'grüße \u0000 "$HOME"\n'.repeat(20_000)}end`;
    const result = await bench.run(bench.directory(), { file: 'wc', args: ['-c'], stdin: text });
    expect(result).toMatchObject({ exitCode: 0, stdout: `${Buffer.byteLength(text)}\n` });
    expect(await bench.run(bench.directory(), { file: 'cat', args: [], stdin: 'one\n' })).toMatchObject({
      stdout: 'one\n',
    });
  });

  it('is empty by default', async () => {
    expect(await bench.run(bench.directory(), { file: 'wc', args: ['-c'] })).toMatchObject({ stdout: '0\n' });
  });
});

describe('an idle timeout', () => {
  it('ends a command that writes nothing, and all that it started', async () => {
    const directory = bench.directory();
    const result = await bench.run(directory, { ...shell(`echo begun; ${STUBBORN}`), idleTimeoutMs: 300 });
    expect(result).toMatchObject({ timedOut: true, limit: 'idle', stdout: 'begun\n' });
    expect(pidsOf(directory)).toEqual([]);
  });

  it('spares a longer command that writes to either stream now and then', async () => {
    const script = 'for i in 1 2 3 4 5 6; do sleep 0.5; echo $i; sleep 0.5; echo $i >&2; done';
    const result = await bench.run(bench.directory(), { ...shell(script), idleTimeoutMs: 4_000 });
    expect(result).toMatchObject({ exitCode: 0, timedOut: false, stdout: '1\n2\n3\n4\n5\n6\n' });
    expect(result).not.toHaveProperty('limit');
    expect(result.durationMs).toBeGreaterThan(4_000);
  });
});

describe('a limit on the output', () => {
  it('ends a command that floods, and keeps no more than the limit', async () => {
    const directory = bench.directory();
    const result = await bench.run(directory, { ...shell('yes; sleep 300'), outputBytesMax: 100_000 });
    expect(result).toMatchObject({ timedOut: false, limit: 'output' });
    expect(result.stdout.length).toBeLessThanOrEqual(100_000);
    expect(fs.statSync(`${directory}/1.stdout`).size).toBe(100_000);
    expect(pidsOf(directory)).toEqual([]);
  });

  it('bounds the output in the result', async () => {
    const script = `head -c 600000 /dev/zero | tr '\\0' a`;
    const whole = await bench.run(bench.directory(), { ...shell(script), outputBytesMax: 1_000_000 });
    expect(whole).toMatchObject({ exitCode: 0, stdoutTruncated: false });
    expect(whole.stdout.length).toBe(600_000);
    expect(await bench.run(bench.directory(), shell(script))).toMatchObject({ stdoutTruncated: true });
  });

  it.each([{ idleTimeoutMs: 0 }, { outputBytesMax: -1 }, { stdin: 7 as unknown as string }])(
    'refuses %j',
    async (limits) => {
      await expect(bench.run(bench.directory(), { ...shell('true'), ...limits })).rejects.toThrow('cannot be run');
    },
  );
});
