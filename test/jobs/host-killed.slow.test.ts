import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';
import { runAskingHost, workers } from './asking.ts';
import { counting, runsOf, useJobs } from './job-bench.ts';
import { isTried, KILL_STRIDE } from '../processes/stride.ts';
import { amount } from '../run/amount.ts';
import { createRandom } from '../run/seed.ts';

const random = createRandom();

const bench = useJobs();
const CALLS_MAX = 400;
const RANDOM_KILLS = amount(3, { long: 9 });
const SCRIPT = 'echo out; sleep 0.02; echo err >&2; exit 7';
const EXPECTED = { exitCode: 7, signal: null, timedOut: false, stdout: 'out\n', stderr: 'err\n' };

it('runs once when its host is killed at any call that changes something or waits, whichever host re-attaches', async () => {
  let calls: number | undefined;
  let begun = 0;
  let n = 0;
  await workers(async () => {
    while (calls === undefined || n < calls) {
      n += 1;
      const at = n;
      if (!isTried(at, KILL_STRIDE)) continue;
      if (at > CALLS_MAX) throw new Error(`a host makes more than ${CALLS_MAX} calls`);
      const directory = bench.directory();
      const spec = counting(directory, SCRIPT);
      const args = [directory, JSON.stringify(spec), 'fail', String(at)];
      const ended = await runAskingHost(bench.bundled.askingHost, args);
      if (ended.signal !== 'SIGKILL') calls = Math.min(calls ?? at, at - 1);
      if (runsOf(directory) > 0) begun += 1;
      // Only the host was killed, so nothing is lost.
      expect(await bench.run(directory, spec, { onCrash: 'fail' }), `killed at call ${at}`).toMatchObject(EXPECTED);
      expect(runsOf(directory), `killed at call ${at}`).toBe(1);
    }
  });
  console.log(
    `killed at one of ${KILL_STRIDE} of ${calls} calls; the command had begun in ${begun} of them; it ran once each time`,
  );
  expect(calls).toBeGreaterThan(10);
});

it('runs once when its host is killed at any time, and the next host too', async () => {
  const startMs = performance.now();
  const usual = bench.directory();
  await runAskingHost(bench.bundled.askingHost, [usual, JSON.stringify(counting(usual, SCRIPT)), 'fail', '0']);
  const latestMs = 1.5 * (performance.now() - startMs);
  let left = RANDOM_KILLS;
  let results = 0;
  await workers(async () => {
    while (left > 0) {
      const kill = left--;
      const delays = [(latestMs * kill) / RANDOM_KILLS, random() * latestMs];
      const directory = bench.directory();
      const spec = counting(directory, SCRIPT);
      for (const delayMs of delays) {
        const host = spawn(process.execPath, [bench.bundled.askingHost, directory, JSON.stringify(spec), 'fail', '0'], {
          stdio: 'ignore',
          timeout: Math.ceil(delayMs),
          killSignal: 'SIGKILL',
        });
        await new Promise((resolve) => host.once('exit', resolve));
        if (host.exitCode === 0) results += 1;
      }
      expect(await bench.run(directory, spec, { onCrash: 'fail' })).toMatchObject(EXPECTED);
      expect(runsOf(directory)).toBe(1);
    }
  });
  console.log(`${2 * RANDOM_KILLS} hosts, ${results} of them not killed in time; the command ran once each time`);
});
