import { spawn, type ChildProcess } from 'node:child_process';
import { afterEach, expect, it } from 'vitest';
import { nodeHost } from '../../src/host/node-host.ts';
import type { ProcessIdentity } from '../../src/host/processes.ts';
import { until } from '../processes/child.ts';

const MARK = `MAILROOM_JOB=tree-${process.pid}`;
const { processes } = nodeHost;
const started: ChildProcess[] = [];

afterEach(() => {
  for (const { pid } of started.splice(0)) {
    try {
      process.kill(-(pid ?? 0), 'SIGKILL');
    } catch {
      // Ended already.
    }
  }
});

/** A session whose processes have the mark, or do not. */
function start(script: string, { isMarked = true } = {}): { child: ChildProcess; leader: ProcessIdentity } {
  const [name = '', value = ''] = MARK.split('=');
  const env = isMarked ? { ...process.env, [name]: value } : process.env;
  const child = spawn('sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'], env });
  started.push(child);
  const leader = processes.identify(child.pid ?? 0);
  if (!leader) throw new Error('it ended at once');
  return { child, leader };
}

/** Its leader stays until its input ends, so that it can be examined before. */
const LEADERLESS = 'sleep 300 & read -r line; exit 0';

function leaderEnded(child: ChildProcess): Promise<void> {
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.stdin?.end();
  return ended;
}

const count = (leader: ProcessIdentity, mark = MARK): number | undefined =>
  processes.signalTree({ leader, mark }, { scope: 'session' });

it('is found by its leader and its mark, and ended', async () => {
  const { leader } = start('sleep 300 & sleep 300; true');
  await until('all three run', () => count(leader) === 3);
  expect(processes.signalTree({ leader, mark: MARK }, { scope: 'session', signal: 'SIGKILL' })).toBe(3);
  await until('it has ended', () => count(leader) === 0);
});

it('is found without its leader', async () => {
  const { child, leader } = start(LEADERLESS);
  await leaderEnded(child);
  expect(count(leader)).toBe(1);
  processes.signalTree({ leader, mark: MARK }, { scope: 'session', signal: 'SIGKILL' });
  await until('it has ended', () => count(leader) === 0);
});

it('never includes another process with its pid: of another start, another boot, or without the mark', async () => {
  const { leader } = start('sleep 300; true');
  await until('both run', () => count(leader) === 2);
  expect(count({ ...leader, startTime: '1' })).toBe(0);
  expect(count({ ...leader, bootId: 'an earlier one' })).toBe(0);
  expect(count(leader, `${MARK}0`)).toBe(0);
  expect(count(leader, MARK.slice(0, -1))).toBe(0);
  // Its leader has ended, and its pid went to another session whose leader has ended as well.
  const other = start(LEADERLESS, { isMarked: false });
  await leaderEnded(other.child);
  expect(count(other.leader)).toBe(0);
});
