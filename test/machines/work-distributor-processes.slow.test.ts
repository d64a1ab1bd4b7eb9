import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openRoom, type Message } from '../../src/index.ts';
import { machine } from '../../machines/work-distributor.ts';
import type { DistributionReport } from '../../machines/work-distributor/report.ts';
import { createCliRoom, type CliRoom } from '../cli/cli-room.ts';
import { RecordedWorkflow } from './recorded-workflow.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const MACHINE = path.join(ROOT, 'dist', 'machines', 'work-distributor.js');
const COMMAND = path.join(ROOT, 'dist', 'cli', 'mailroom.cjs');
/** Only a hang ends by this. */
const MAIL_MS_MAX = 120_000;
/** Longer than the test may take at its slowest: nobody loses a task. */
const LONG_MINUTES = 60;
/** So short that it ends while nobody sends anything; no assertion depends on its exact length. */
const SHORT_MINUTES = 0.02;

const PLAN = {
  tasks: [
    {
      id: 'parser',
      title: `Parse "quoted" fields, don't split them`,
      description: 'Fields in quotes may hold commas.',
    },
    { id: 'report', title: 'Print a report', description: 'One line a month.', dependsOn: ['parser'] },
  ],
};

const started = new Set<ChildProcess>();
afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
  started.clear();
});

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

function start({ directory, env }: CliRoom, input?: object): Run {
  const words = [COMMAND, 'run', MACHINE, ...(input ? ['--input', JSON.stringify(input)] : [])];
  const child = spawn(process.execPath, words, { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] });
  started.add(child);
  const read = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (read.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (read.stderr += text));
  const ended = new Promise<Awaited<Run['ended']>>((resolve) => {
    child.on('close', (code) => {
      started.delete(child);
      resolve({ code, ...read });
    });
  });
  return { child, ended };
}

/** The next matching message for an agent; those before it are acknowledged and dropped. */
async function nextThat({ room }: CliRoom, as: string, isWanted: (message: Message) => boolean): Promise<Message> {
  await using opened = await openRoom({ directory: room });
  for await (const mail of opened.agent(as).inbox({ signal: AbortSignal.timeout(MAIL_MS_MAX) })) {
    await mail.ack();
    if (isWanted(mail.message)) return mail.message;
  }
  throw new Error(`${as} got no such mail`);
}

const kindOf = ({ data }: Message): unknown => (data as { kind?: unknown } | undefined)?.kind;
const isKind =
  (kind: string, taskId?: string) =>
  (message: Message): boolean =>
    kindOf(message) === kind && (taskId === undefined || (message.data as { taskId?: unknown }).taskId === taskId);
const offers =
  (id: string, epoch: number) =>
  (message: Message): boolean =>
    kindOf(message) === 'available' &&
    (message.data as { tasks: { id: string; epoch: number }[] }).tasks.some(
      (task) => task.id === id && task.epoch === epoch,
    );

/** The command in a message that contains this word, as the line that a person would copy. */
function commandIn({ content }: Pick<Message, 'content'>, word: string): string {
  const found = content.split('\n').find((line) => /^ +mailroom /.test(line) && line.includes(word));
  if (found === undefined) throw new Error(`no command with ${word} in ${content}`);
  return found;
}

async function paste(room: CliRoom, as: string, line: string): Promise<void> {
  const pasted = await room.shell(`exec bash -c "$(cat)"`, { as, stdin: line });
  expect(pasted).toMatchObject({ code: 0, stderr: '' });
}

test('commands pasted from the mail claim and complete tasks, and a killed distribution resumes', async () => {
  using room = await createCliRoom();
  const first = start(room, { plan: PLAN, leaseMinutes: LONG_MINUTES, agents: ['alice', 'bob', 'nobody'] });
  await paste(room, 'alice', commandIn(await nextThat(room, 'alice', offers('parser', 1)), 'CLAIM'));
  const begun = await nextThat(room, 'alice', isKind('start'));
  expect((await nextThat(room, 'bob', isKind('claimed'))).content).toBe(`alice claimed: ${PLAN.tasks[0]?.title}`);

  first.child.kill('SIGKILL');
  await first.ended;
  // Mail sent meanwhile waits in the mailbox.
  await paste(room, 'alice', commandIn(begun, 'INFO'));
  await paste(room, 'alice', commandIn(begun, 'COMPLETED'));
  const second = start(room);
  await paste(room, 'bob', commandIn(await nextThat(room, 'bob', offers('report', 1)), 'CLAIM'));
  await paste(room, 'bob', commandIn(await nextThat(room, 'bob', isKind('start')), 'BLOCKED'));
  await paste(room, 'alice', commandIn(await nextThat(room, 'alice', offers('report', 2)), 'CLAIM'));
  await paste(room, 'alice', commandIn(await nextThat(room, 'alice', isKind('start', 'report')), 'COMPLETED'));

  const { code, stdout } = await second.ended;
  expect(code).toBe(0);
  const { outcome, tasks, undelivered } = JSON.parse(stdout) as DistributionReport;
  expect(outcome).toBe('done');
  expect(tasks.map(({ id, state, holder, epoch }) => [id, state, holder, epoch])).toEqual([
    ['parser', 'done', 'alice', 1],
    ['report', 'done', 'alice', 2],
  ]);
  expect(tasks[1]?.lapses).toMatchObject([
    { holder: { agent: 'bob', epoch: 1 }, end: 'given-back', reason: 'I cannot go on' },
  ]);
  // An agent that never joined is recorded, and delayed no mail of the others.
  expect(undelivered[0]).toMatchObject({ to: 'nobody', code: 'ACTOR_NOT_FOUND' });
  const taken = (await room.run(['why', 'work-distributor', '--json'])).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { verdict: string; mail?: { id: string } })
    .filter(({ mail }) => mail);
  expect(new Set(taken.map(({ verdict }) => verdict))).toEqual(new Set(['taken']));
  const ids = taken.map(({ mail }) => mail?.id);
  for (const { evidence } of tasks) expect(ids).toEqual(expect.arrayContaining([...evidence]));
  expect((await nextThat(room, 'bob', isKind('ended'))).content).toMatch(/^All tasks are done\.\n/);
});

test('a silent holder loses the task to another agent, and its late result changes nothing', async () => {
  using room = await createCliRoom();
  const first = start(room, { plan: { tasks: PLAN.tasks.slice(0, 1) }, leaseMinutes: SHORT_MINUTES });
  await paste(room, 'alice', commandIn(await nextThat(room, 'alice', offers('parser', 1)), 'CLAIM'));
  const begun = await nextThat(room, 'alice', isKind('start'));
  // The lease is in the journal, so it ends under the next host.
  first.child.kill('SIGKILL');
  await first.ended;
  const run = start(room);
  expect((await nextThat(room, 'alice', isKind('lost'))).content).toContain(
    'no longer yours: you sent nothing about it for 1.2 s',
  );

  await nextThat(room, 'bob', offers('parser', 2));
  await paste(room, 'alice', commandIn(begun, 'COMPLETED'));
  expect(await nextThat(room, 'alice', isKind('refused'))).toMatchObject({
    content: expect.stringMatching(/^Your result is not accepted .* your claim, epoch 1, is over/) as unknown,
    data: { why: 'lapsed' },
  });
  // On a busy machine even this may be too slow for so short a lease; then bob is told so and repeats it.
  await using opened = await openRoom({ directory: room.room });
  const bob = opened.agent('bob');
  let heard: unknown;
  do {
    await bob.send({ to: 'work-distributor', type: 'CLAIM', content: 'parser' });
    await bob.send({ to: 'work-distributor', type: 'COMPLETED', content: 'done:parser in time' });
    heard = kindOf(await nextThat(room, 'bob', (message) => ['ended', 'lost'].includes(String(kindOf(message)))));
  } while (heard === 'lost');
  const { code, stdout } = await run.ended;
  expect(code).toBe(0);
  const { outcome, tasks } = JSON.parse(stdout) as DistributionReport;
  expect(outcome).toBe('done');
  expect(tasks[0]).toMatchObject({ state: 'done', holder: 'bob', summary: 'in time' });
  expect(tasks[0]?.lapses[0]).toMatchObject({ holder: { agent: 'alice', epoch: 1 }, end: 'silent' });
  expect(tasks[0]?.epoch).toBe((tasks[0]?.lapses.length ?? 0) + 1);
});

test('the command that hands in a worktree names its commit, whatever the directory is called', async () => {
  using room = await createCliRoom();
  const directory = path.join(room.directory, `it's "here" $HOME`);
  const place = `'${directory.replaceAll("'", `'\\''`)}'`;
  const made = await room.shell(
    `mkdir ${place} && cd ${place} && git init -q . && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m start && git rev-parse HEAD`,
  );
  const run = new RecordedWorkflow(machine, { input: { plan: PLAN, acceptance: 'parent' }, parent: 'loop' })
    .hears('alice', 'CLAIM', 'parser')
    .happens({
      type: 'ASSIGN',
      taskId: 'parser',
      epoch: 1,
      workspace: { directory, branch: 'task/parser', base: 'main' },
    });
  const line = commandIn({ content: run.sent[0]?.content ?? '' }, 'COMPLETED');
  const said = await room.shell(`mailroom() { printf '%s\\n' "$@"; }; ${line}`);
  const words = said.stdout.trim().split('\n');
  expect(words.slice(0, -1)).toEqual(['send', 'work-distributor', 'COMPLETED', 'done:parser', '--data']);
  const commit = made.stdout.trim();
  expect(commit).toMatch(/^[0-9a-f]{40}$/);
  expect(JSON.parse(words.at(-1) ?? '')).toEqual({ taskId: 'parser', epoch: 1, branch: 'task/parser', commit });
});
