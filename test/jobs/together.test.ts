import { expect, it } from 'vitest';
import { runAskingHost } from './asking.ts';
import { counting, runsOf, useJobs } from './job-bench.ts';

const bench = useJobs();
const WAITERS = 8;
const HOSTS = 4;

it('runs once for concurrent hosts, and all get its result', async () => {
  const directory = bench.directory();
  const spec = counting(directory, 'sleep 0.1; echo $$');
  const args = [directory, JSON.stringify(spec), 'fail', '0'];
  const results = await Promise.all([
    ...Array.from({ length: WAITERS }, () => bench.run(directory, spec)),
    ...Array.from({ length: HOSTS }, async (): Promise<unknown> => {
      const { signal, stdout } = await runAskingHost(bench.bundled.askingHost, args);
      expect(signal).toBeNull();
      return JSON.parse(stdout);
    }),
  ]);
  console.log(`${WAITERS} waiters and ${HOSTS} hosts asked at once: ${runsOf(directory)} run`);
  expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1);
  expect(runsOf(directory)).toBe(1);
});

it('is restarted once by hosts that find it lost at the same time', async () => {
  const directory = bench.directory();
  const script = 'test "$MAILROOM_JOB" = "$MAILROOM_EFFECT_ID/2" || kill -9 $PPID; sleep 0.3; echo $$';
  const spec = counting(directory, script);
  const results = await Promise.all(Array.from({ length: WAITERS }, () => bench.run(directory, spec)));
  expect(new Set(results.map(({ stdout }) => stdout)).size).toBe(1);
  expect(runsOf(directory)).toBe(2);
});
