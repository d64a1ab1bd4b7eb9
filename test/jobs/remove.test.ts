import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { Conflict } from '../../src/errors.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { listJobs, removeJob } from '../../src/jobs/end-job.ts';
import { until } from '../processes/child.ts';
import { counting, runsOf, shell, useJobs } from './job-bench.ts';

const bench = useJobs();

it('removes an ended job, and the remains of an earlier removal', async () => {
  const directory = bench.directory();
  const jobs = path.dirname(directory);
  await bench.run(directory, shell('true'));
  fs.mkdirSync(path.join(jobs, '.removed-0', 'deeper'), { recursive: true });
  fs.writeFileSync(path.join(jobs, '.removed-0', 'deeper', 'file'), '');
  expect(listJobs(nodeHost, jobs)).toEqual([path.basename(directory)]);
  removeJob(nodeHost, directory);
  removeJob(nodeHost, directory);
  expect(fs.readdirSync(jobs)).toEqual([]);
  expect(listJobs(nodeHost, jobs)).toEqual([]);
  expect(listJobs(nodeHost, path.join(jobs, 'none'))).toEqual([]);
});

it('refuses to remove a job while it runs', async () => {
  const directory = bench.directory();
  const waiting = bench.run(directory, counting(directory, 'sleep 300')).catch(() => {});
  await until('it runs', () => runsOf(directory) === 1);
  expect(() => removeJob(nodeHost, directory)).toThrow(Conflict);
  await bench.cancel(directory);
  await waiting;
  removeJob(nodeHost, directory);
  expect(fs.existsSync(directory)).toBe(false);
});
