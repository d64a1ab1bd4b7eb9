import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nodeHost } from '../../src/host/node-host.ts';
import type { ProcessIdentity } from '../../src/host/processes.ts';
import { cancelJob } from '../../src/jobs/end-job.ts';
import { runJob } from '../../src/jobs/run-job.ts';
import { until } from '../hostile/until.ts';

const { processes } = nodeHost;
const isLinux = process.platform === 'linux';

/** The same pid in another PID namespace of this boot. */
const elsewhere = (identity: ProcessIdentity): ProcessIdentity => ({ ...identity, pidNamespace: '1' });
/** How a host in a namespace of its own sees the processes of all others. */
const far = {
  ...nodeHost,
  processes: { ...processes, isAlive: () => false, isElsewhere: () => true, signalTree: () => 0 },
};

let base: string;
beforeEach(() => {
  base = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-namespace-'));
});
afterEach(() => fs.rmSync(base, { recursive: true, force: true }));

test.skipIf(!isLinux)(
  'a process is identified by its PID namespace too, and is never signalled in another one',
  async () => {
    const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
    try {
      const found = processes.identify(child.pid ?? 0);
      if (!found) throw new Error('it is not there');
      expect(found.pidNamespace).toMatch(/^\d+$/);
      expect([processes.isAlive(found), processes.isElsewhere(found)]).toEqual([true, false]);
      const same = elsewhere(found);
      expect([processes.isAlive(same), processes.isElsewhere(same)]).toEqual([false, true]);
      const tree = { leader: same, mark: 'MAILROOM_JOB=none/1' };
      expect(processes.signalTree(tree, { scope: 'session', signal: 'SIGKILL' })).toBe(0);
      expect(processes.isAlive(found)).toBe(true);
      // As older versions recorded it.
      const { pidNamespace: _, ...old } = found;
      expect([processes.isAlive(old), processes.isElsewhere(old)]).toEqual([true, false]);
      // After a reboot there is no telling, and the process has ended.
      const before = { ...same, bootId: 'another' };
      expect([processes.isAlive(before), processes.isElsewhere(before)]).toEqual([false, false]);
    } finally {
      child.kill('SIGKILL');
    }
  },
);

test('a command whose wrapper is elsewhere is awaited and not run twice', async () => {
  const directory = `${base}/1.1.1`;
  const line = 'echo ran >> ran; while [ ! -e go ]; do sleep 0.05; done; echo done';
  const spec = { file: 'sh', args: ['-c', line], cwd: base };
  const { signal } = new AbortController();
  const near = runJob(nodeHost, { directory, spec, onCrash: 'fail', signal });
  await until('it runs', () => fs.existsSync(`${base}/ran`));
  let looks = 0;
  const isElsewhere = (): boolean => (looks += 1) > 0;
  const counting = { ...far, processes: { ...far.processes, isElsewhere } };
  const there = runJob(counting, { directory, spec, onCrash: 'fail', signal });
  await until('the other one waits', () => looks > 3);
  fs.writeFileSync(`${base}/go`, '');
  expect((await near).stdout).toBe('done\n');
  expect((await there).stdout).toBe('done\n');
  expect(fs.readFileSync(`${base}/ran`, 'utf8')).toBe('ran\n');
});

test('a command that is elsewhere is lost once its wrapper has shown no sign of life for 10 s', async () => {
  const directory = `${base}/1.1.1`;
  const spec = { file: 'true', args: [], cwd: base };
  fs.mkdirSync(directory, { recursive: true });
  const claim = { v: 1, wrapper: elsewhere(processes.self()), uptimeMs: nodeHost.clock.uptimeMs() };
  fs.writeFileSync(`${directory}/1.process.json`, JSON.stringify(claim));
  const then = Date.now() / 1_000 - 11;
  fs.utimesSync(`${directory}/1.process.json`, then, then);
  const { signal } = new AbortController();
  const lost = runJob(nodeHost, { directory, spec, onCrash: 'fail', signal });
  await expect(lost).rejects.toMatchObject({ reason: 'lost' });
});

test('a command that is cancelled from elsewhere is ended by its own wrapper', async () => {
  const directory = `${base}/1.1.1`;
  const spec = { file: 'sh', args: ['-c', 'echo $$ > pid; sleep 1000'], cwd: base };
  const near = runJob(nodeHost, { directory, spec, onCrash: 'fail', signal: new AbortController().signal });
  near.catch(() => {});
  await until('it runs', () => fs.existsSync(`${base}/pid`) && fs.readFileSync(`${base}/pid`, 'utf8') !== '');
  const pid = Number(fs.readFileSync(`${base}/pid`, 'utf8'));
  await cancelJob(far, directory);
  expect(processes.identify(pid)).toBeUndefined();
  await expect(near).rejects.toMatchObject({ reason: 'cancelled' });
});
