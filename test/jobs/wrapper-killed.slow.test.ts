import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { until } from '../processes/child.ts';
import { workers } from './asking.ts';
import { counting, pidsOf, rejectionOf, runsOf, shell, useJobs } from './job-bench.ts';

const bench = useJobs();
const CALLS_MAX = 400;

it('leaves one result, or none, and no process when it is killed at any call', async () => {
  const seen = new Map<string, number>();
  let n = 0;
  let isOver = false;
  await workers(async () => {
    while (!isOver) {
      n += 1;
      const at = n;
      if (at > CALLS_MAX) throw new Error(`a wrapper makes more than ${CALLS_MAX} calls`);
      const directory = bench.directory();
      fs.mkdirSync(path.dirname(directory));
      fs.writeFileSync(`${directory}.kill`, String(at));
      const spec = counting(directory, 'echo out');
      const first = await bench.run(directory, spec, { onCrash: 'fail' }).then(
        ({ exitCode }) => `exit ${exitCode}`,
        (error: Error & { reason?: string }) => error.reason ?? String(error),
      );
      if (!fs.existsSync(`${directory}.killed`)) isOver = true;
      const firstRuns = runsOf(directory);
      expect(pidsOf(directory), `killed at call ${at}`).toEqual([]);
      const result = await bench.run(directory, spec, { onCrash: 'rerun' });
      expect(result, `killed at call ${at}`).toMatchObject({ exitCode: 0, stdout: 'out\n' });
      const outcome = `${first} after ${firstRuns} runs, then a result after ${runsOf(directory)}`;
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
    }
  });
  console.log(`the wrapper killed at each of ${n} calls, or not any more: ${JSON.stringify(Object.fromEntries(seen))}`);
  expect([...seen.keys()].toSorted()).toEqual([
    'exit 0 after 1 runs, then a result after 1',
    'lost after 0 runs, then a result after 1',
    'lost after 1 runs, then a result after 2',
  ]);
});

// The gap between the start of a command and any record of it: its session must be known before.
it('ends a command that killed its wrapper at once, before it is restarted', async () => {
  const directory = bench.directory();
  const script =
    '(exec sleep 300) & test "$MAILROOM_JOB" = "$MAILROOM_EFFECT_ID/3" || { kill -9 $PPID; exec sleep 300; }';
  const result = await bench.run(directory, counting(directory, script));
  expect(result.exitCode).toBe(0);
  expect(runsOf(directory)).toBe(3);
  expect(pidsOf(directory)).toEqual([]);
});

it('ends processes that left the session, when it was cut off', async () => {
  const directory = bench.directory();
  const script = 'setsid sh -c "exec sleep 300" & sleep 0.05; kill -9 $PPID; sleep 300';
  const error = await rejectionOf(bench.run(directory, counting(directory, script), { onCrash: 'fail' }));
  expect(error).toMatchObject({ name: 'JobFailed', reason: 'lost' });
  expect(pidsOf(directory)).toEqual([]);
  expect(await rejectionOf(bench.run(directory, counting(directory, script), { onCrash: 'fail' }))).toMatchObject({
    reason: 'lost',
  });
  expect(runsOf(directory)).toBe(1);
});

it('is not started a sixth time', async () => {
  const directory = bench.directory();
  const error = await rejectionOf(bench.run(directory, counting(directory, 'kill -9 $PPID')));
  expect(error).toMatchObject({ reason: 'lost' });
  expect(error.message).toContain('cut off 5 times');
  expect(runsOf(directory)).toBe(5);
});

it('is lost with the boot that it ran in, and nothing is ended', async () => {
  const directory = bench.directory();
  const spec = shell('sleep 0.3; echo first >> /dev/stderr');
  const first = new AbortController();
  const claimed = `${directory}/1.process.json`;
  const waiting = bench.run(directory, spec, { signal: first.signal });
  await until('it is claimed', () => fs.existsSync(claimed));
  first.abort();
  await rejectionOf(waiting);
  const claim = JSON.parse(fs.readFileSync(claimed, 'utf8')) as { wrapper: { pid: number; bootId: string } };
  fs.writeFileSync(claimed, JSON.stringify({ ...claim, wrapper: { ...claim.wrapper, bootId: 'an earlier one' } }));
  expect(await rejectionOf(bench.run(directory, spec, { onCrash: 'fail' }))).toMatchObject({ reason: 'lost' });
  expect(pidsOf(directory)).toContain(claim.wrapper.pid);
  await until('it has ended', () => pidsOf(directory).length === 0);
});
