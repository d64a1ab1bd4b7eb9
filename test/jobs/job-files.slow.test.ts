import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../../fixtures/zoo/things.ts';
import { Conflict, InvalidInput } from '../../src/errors.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { runJob } from '../../src/jobs/run-job.ts';
import type { JobSpec } from '../../src/jobs/job.ts';
import { counting, rejectionOf, runsOf, shell, useJobs } from './job-bench.ts';

const bench = useJobs();

/** Damage that no crash can cause, but a disk, a backup or a person can. */
const GARBAGE: Readonly<Record<string, (file: string) => void>> = {
  'an empty file': (file) => fs.writeFileSync(file, ''),
  'half a file': (file) => fs.writeFileSync(file, '{"v":1,"wrapper":{"pid":12'),
  'other JSON': (file) => fs.writeFileSync(file, '{"v":2}'),
  'no object': (file) => fs.writeFileSync(file, 'null'),
  'a directory': (file) => fs.mkdirSync(file),
  'a FIFO': (file) => run('mkfifo', file),
  'a link to nowhere': (file) => fs.symlinkSync('/no/such/place', file),
};

describe.each(['spec.json', '1.process.json', '1.exit.json'])('in place of %s', (name) => {
  it.each(Object.entries(GARBAGE))('%s is refused by name, and nothing runs', async (_title, make) => {
    const directory = bench.directory();
    const spec = counting(directory, 'true');
    fs.mkdirSync(directory, { recursive: true });
    if (name !== 'spec.json') writeSpecOf(directory, spec);
    if (name === '1.exit.json') {
      const wrapper = { pid: 2, startTime: '1', bootId: 'an earlier one' };
      fs.writeFileSync(path.join(directory, '1.process.json'), JSON.stringify({ v: 1, wrapper, uptimeMs: 1 }));
    }
    make(path.join(directory, name));
    const error = await rejectionOf(bench.run(directory, spec));
    expect(error).toMatchObject({ name: 'JobFailed', reason: 'damaged' });
    expect(error.message).toContain(path.join(directory, name));
    expect(error.hint).toContain(`rm -r ${directory}`);
    expect(runsOf(directory)).toBe(0);
  });
});

function writeSpecOf(directory: string, spec: JobSpec): void {
  fs.writeFileSync(path.join(directory, 'spec.json'), JSON.stringify({ v: 1, spec, cwd: process.cwd() }));
}

it('says which output is missing', async () => {
  const directory = bench.directory();
  await bench.run(directory, shell('true'));
  fs.rmSync(path.join(directory, '1.stdout'));
  expect(await rejectionOf(bench.run(directory, shell('true')))).toMatchObject({ reason: 'damaged' });
});

it('reports the errors of wrappers when none can be started, and starts one when it can', async () => {
  const directory = bench.directory();
  const spec = counting(directory, 'true');
  const before = process.env['NODE_OPTIONS'];
  process.env['NODE_OPTIONS'] = '--no-such-option';
  try {
    const error = await rejectionOf(bench.run(directory, spec));
    expect(error).toMatchObject({ name: 'JobFailed', reason: 'not-started' });
    expect(error.message).toContain('--no-such-option is not allowed in NODE_OPTIONS');
  } finally {
    if (before === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = before;
  }
  expect((await bench.run(directory, spec)).exitCode).toBe(0);
  expect(runsOf(directory)).toBe(1);
});

it('does not end a session that a forged claim names', async () => {
  const directory = bench.directory();
  const victim = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
  try {
    const spec = counting(directory, 'true');
    fs.mkdirSync(directory, { recursive: true });
    writeSpecOf(directory, spec);
    const claim = { v: 1, wrapper: nodeHost.processes.identify(victim.pid ?? 0), uptimeMs: 1 };
    fs.writeFileSync(path.join(directory, '1.process.json'), JSON.stringify(claim));
    await bench.cancel(directory);
    expect(nodeHost.processes.identify(victim.pid ?? 0)).toEqual(claim.wrapper);
  } finally {
    victim.kill('SIGKILL');
  }
});

describe('the command of a job', () => {
  it('never changes', async () => {
    const directory = bench.directory();
    await bench.run(directory, { ...shell('true'), env: { B: '1', A: '2' } });
    await bench.run(directory, { ...shell('true'), env: { A: '2', B: '1' } });
    const error = await rejectionOf(bench.run(directory, { file: 'false', args: [] }));
    expect(error.name).toBe(Conflict.name);
    expect(error.message).toContain('it runs "sh", but "false" was requested');
  });

  it.each<[string, JobSpec]>([
    ['no file', { file: '', args: [] }],
    ['a NUL in an argument', { file: 'echo', args: ['a\0b'] }],
    ['a bad variable', { ...shell('true'), env: { 'A=B': 'x' } }],
    ['a variable of Mailroom', { ...shell('true'), env: { MAILROOM_JOB: 'x' } }],
    ['a timeout that is none', { ...shell('true'), timeoutMs: Number.NaN }],
    ['endless arguments', { file: 'echo', args: ['x'.repeat(9_000_000)] }],
  ])('is refused with %s', async (_title, spec) => {
    const directory = bench.directory();
    expect((await rejectionOf(bench.run(directory, spec))).name).toBe(InvalidInput.name);
    expect(fs.existsSync(directory)).toBe(false);
  });

  it('runs from sources, too', async () => {
    const directory = bench.directory();
    const signal = new AbortController().signal;
    const result = await runJob(nodeHost, { directory, spec: shell('echo out'), onCrash: 'fail', signal });
    expect(result.stdout).toBe('out\n');
  });
});
