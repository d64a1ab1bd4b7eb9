import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { ProcessIdentity } from '../../src/index.ts';
import { actorLayout, roomLayout } from '../../src/message/layout.ts';
import { createCliRoom, type CliRoom } from '../cli/cli-room.ts';
import { until } from '../hostile/until.ts';
import { bundleJobs } from '../jobs/bundled-jobs.ts';
import { createProject, GREETER } from '../runtime/cli-machines.ts';
import {
  BARE_LINUX,
  countingMac,
  MAC,
  runIn,
  SANDBOXED_MAC,
  skipWithout,
  startIn,
  type Disguise,
  type Started,
} from './mac.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const skip = skipWithout(MAC);
const started = new Set<Started>();
afterEach(async () => {
  for (const { child, ended } of started) {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, 'SIGKILL');
    await ended;
  }
  started.clear();
});

function start(room: CliRoom, line: string): Started {
  const one = startIn(room, MAC, line);
  started.add(one);
  return one;
}

function isRunning(pid: number): boolean {
  try {
    return !fs.readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

const cardOf = (room: CliRoom, address: string): string => actorLayout(roomLayout(room.room), address).card;

/** An agent's program: it gives each command a shell of its own, which ends with the command. */
const agent = (command: string): string => `sh -c '${command}; true'; echo joined; while :; do sleep 1; done`;

test.skipIf(skip)(
  'an address belongs to an agent for as long as its session lives, whatever shell it joined from',
  async () => {
    using room = await createCliRoom({ agents: ['bob'] });
    const first = start(room, agent('mailroom join alice'));
    await until(
      () => `alice has joined: ${first.told()}`,
      () => first.told().includes('joined'),
    );
    const agents = await runIn(room, MAC, 'mailroom agents --json');
    expect(JSON.parse(agents.stdout)).toContainEqual(expect.objectContaining({ address: 'alice', live: true }));
    const second = await runIn(room, MAC, 'mailroom join alice');
    expect([second.code, second.stdout]).toEqual([6, '']);
    expect(second.stderr).toContain(`process ${first.child.pid}`);
    process.kill(-(first.child.pid ?? 0), 'SIGKILL');
    await first.ended;
    expect(await runIn(room, MAC, 'mailroom join alice')).toMatchObject({ code: 0 });
  },
);

test.skipIf(skip)('whoever has the pid of an agent that has ended does not keep its name', async () => {
  using room = await createCliRoom({ agents: ['bob'] });
  const first = start(room, agent('mailroom join alice'));
  await until(
    () => `alice has joined: ${first.told()}`,
    () => first.told().includes('joined'),
  );
  const card = JSON.parse(fs.readFileSync(cardOf(room, 'alice'), 'utf8')) as { process: ProcessIdentity };
  process.kill(-(first.child.pid ?? 0), 'SIGKILL');
  await first.ended;
  // A whole second, because the ps of the test counts its seconds from the start of the machine.
  const nextMs = Date.now() + 1_000;
  await until('a start in another second', () => Date.now() > nextMs);
  const other = start(room, 'echo up; while :; do sleep 1; done');
  await until('another process is there', () => other.told().includes('up'));
  const reused = { ...card, process: { ...card.process, pid: other.child.pid } };
  fs.writeFileSync(cardOf(room, 'alice'), JSON.stringify(reused));
  expect(await runIn(room, MAC, 'mailroom join alice')).toMatchObject({ code: 0 });
});

test.skipIf(skip)('a workflow whose host was killed is taken over, though nobody has reaped that host', async () => {
  using room = await createProject({ 'greeter.mjs': GREETER });
  // exec: the host is a child of the shell, which never waits for it.
  const first = start(room, `mailroom run greeter.mjs & echo pid=$!; exec sleep 1000`);
  await until(
    () => `it runs: ${first.told()}`,
    () => first.told().includes('→ waiting'),
  );
  const pid = Number(/pid=(\d+)/.exec(first.told())?.[1]);
  process.kill(pid, 'SIGKILL');
  await until('it is a zombie', () => fs.readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '));
  const second = start(room, 'mailroom run greeter.mjs');
  await room.run(['send', 'greeter', 'GO', 'now'], { as: 'alice' });
  expect(await second.ended).toMatchObject({ code: 0, stdout: expect.stringContaining('hello nobody') as unknown });
});

test.skipIf(skip)('a job that passes a limit is ended with what left its group and its session', async () => {
  using room = await createCliRoom({ agents: [] });
  using bundled = await bundleJobs();
  const pids = path.join(room.directory, 'pids');
  const args = [path.join(ROOT, 'fixtures/jobs/escaping.mjs'), pids];
  // It writes once all are there.
  const spec = JSON.stringify({ file: process.execPath, args, cwd: room.directory, outputBytesMax: 1 });
  const job = path.join(room.directory, 'job');
  const running = start(room, `${process.execPath} ${bundled.askingHost} ${job} '${spec}' fail 0`);
  await until(
    () => `the job has ended: ${running.told()}`,
    () => running.child.exitCode !== null,
  );
  const ran = await running.ended;
  expect([ran.code, ran.stderr]).toEqual([0, '']);
  expect(JSON.parse(ran.stdout)).toMatchObject({ limit: 'output' });
  const left = fs.readFileSync(pids, 'utf8').trim().split('\n').map(Number);
  expect(left).toHaveLength(2);
  expect(left.map(isRunning)).toEqual([false, false]);
});

test.skipIf(skip)('hooks know the program that they belong to, and one that has ended', async () => {
  using room = await createCliRoom({ agents: ['bob'] });
  const fire = (event: string): string =>
    `echo '{"session_id":"one","cwd":"${room.directory}","hook_event_name":"${event}"}' | mailroom hook claude ${event}`;
  const send = 'mailroom --as bob send claude-1 QUESTION "the port?" >/dev/null';
  const first = start(
    room,
    `${fire('SessionStart')}; ${send}; ${fire('UserPromptSubmit')}; echo; echo over; exec sleep 1000`,
  );
  await until(
    () => `both hooks have run: ${first.told()}`,
    () => first.told().includes('over'),
  );
  const [introduction, mail] = first.told().split('}}');
  expect(introduction).toContain('this session is claude-1');
  expect(mail).toContain('the port?');
  expect(mail).not.toContain('this session is');
  const other = fire('SessionStart').replace('"one"', '"two"');
  expect((await runIn(room, MAC, other)).stdout).toContain('this session is claude-2');
  process.kill(-(first.child.pid ?? 0), 'SIGKILL');
  await first.ended;
  const third = fire('SessionStart').replace('"one"', '"three"');
  expect((await runIn(room, MAC, third)).stdout).toContain('this session is claude-1');
});

test.skipIf(skip)('doctor says what is known, and one line where nothing is', async () => {
  using room = await createCliRoom();
  const told = async (disguise: Disguise): Promise<string[]> => {
    const { stdout } = await runIn(room, disguise, 'mailroom doctor');
    return stdout.split('\n').filter((line) => line.includes('processes:'));
  };
  expect(await told(MAC)).toEqual(['ok     processes: start times, sessions and process trees are known']);
  const unknown = 'note   processes: start times, sessions and process trees are unknown';
  expect(await told(SANDBOXED_MAC)).toEqual([expect.stringContaining(`${unknown} (/bin/ps cannot be run here)`)]);
  expect(await told(BARE_LINUX)).toEqual([expect.stringContaining(`${unknown} (/proc is missing`)]);
});

test.skipIf(skip)('the client in Python names a process on a card as the command does', async () => {
  using room = await createCliRoom({ agents: [] });
  const first = start(room, agent('mailroom join alice'));
  await until(
    () => `alice has joined: ${first.told()}`,
    () => first.told().includes('joined'),
  );
  const card = JSON.parse(fs.readFileSync(cardOf(room, 'alice'), 'utf8')) as { process: ProcessIdentity };
  const program = [
    'import json, runpy, sys',
    "sys.platform = 'darwin'",
    `client = runpy.run_path('${path.join(ROOT, 'fixtures/clients/mailroom.py')}')`,
    `card = json.load(open('${cardOf(room, 'alice')}'))`,
    `print(json.dumps([client['identity_of'](card['process']['pid']), client['is_live'](card, '.')]))`,
  ];
  fs.writeFileSync(path.join(room.directory, 'client.py'), program.join('\n'));
  const ran = await runIn(room, MAC, 'python3 client.py');
  expect(ran.stderr).toBe('');
  expect(JSON.parse(ran.stdout)).toEqual([card.process, true]);
});

test.skipIf(skip)('where a sandbox runs no ps, a live agent of the other side keeps its name', async () => {
  using room = await createCliRoom({ agents: ['bob'] });
  const first = start(room, agent('mailroom join alice'));
  await until(
    () => `alice has joined: ${first.told()}`,
    () => first.told().includes('joined'),
  );
  expect(await runIn(room, SANDBOXED_MAC, 'mailroom join alice')).toMatchObject({ code: 6, stdout: '' });
  process.kill(-(first.child.pid ?? 0), 'SIGKILL');
  await first.ended;
  expect(await runIn(room, SANDBOXED_MAC, 'mailroom join alice')).toMatchObject({ code: 0 });
});

test.skipIf(skip)(
  'on a Linux without /proc, agents join for as long as their parent runs, and mail arrives',
  async () => {
    using room = await createCliRoom({ agents: ['bob'] });
    const first = startIn(room, BARE_LINUX, 'mailroom join alice; echo joined; while :; do sleep 1; done');
    started.add(first);
    await until(
      () => `alice has joined: ${first.told()}`,
      () => first.told().includes('joined'),
    );
    const { process: of } = JSON.parse(fs.readFileSync(cardOf(room, 'alice'), 'utf8')) as { process: ProcessIdentity };
    expect(of).toEqual({ pid: expect.any(Number) as unknown, startTime: '', bootId: '' });
    expect(await runIn(room, BARE_LINUX, 'mailroom join alice')).toMatchObject({ code: 6 });
    await runIn(room, BARE_LINUX, 'mailroom --as bob send alice QUESTION "do you hear me"');
    const read = await runIn(room, BARE_LINUX, 'mailroom --as alice read --json');
    expect(JSON.parse(read.stdout)).toMatchObject([{ from: 'bob', content: 'do you hear me' }]);
  },
);

test.skipIf(skip)('ps is started for a question and not for each process, and for mail not at all', async () => {
  using room = await createCliRoom({ agents: ['alice', 'bob'] });
  const asked = path.join(room.directory, 'asked');
  const mac = countingMac(room, asked);
  const starts = async (line: string): Promise<string[]> => {
    fs.writeFileSync(asked, '');
    expect(await runIn(room, mac, line)).toMatchObject({ code: 0 });
    return fs.readFileSync(asked, 'utf8').split('\n').filter(Boolean);
  };
  const others = Array.from({ length: 12 }, (_, n) =>
    start(room, `mailroom join agent-${n}; echo joined; exec sleep 1000`),
  );
  await until('all have joined', () => others.every((one) => one.told().includes('joined')));
  const forAgents = await starts('mailroom agents --json');
  expect(forAgents.length, forAgents.join('\n')).toBeGreaterThan(0);
  expect(forAgents.length, forAgents.join('\n')).toBeLessThanOrEqual(2);
  expect((await starts('mailroom join carol')).length).toBeLessThanOrEqual(3);
  expect(await starts('mailroom --as alice send bob INFO hello')).toEqual([]);
  expect(await starts('mailroom --as bob read')).toEqual([]);
  expect(await starts('mailroom --as bob inbox')).toEqual([]);
});
