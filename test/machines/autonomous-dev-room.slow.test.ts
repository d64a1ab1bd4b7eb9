import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { machine } from '../../machines/autonomous-dev.ts';
import { git } from '../../machines/autonomous-dev/git.ts';
import type { LoopReport } from '../../machines/autonomous-dev/report.ts';
import { initRoom, openRoom, type Agent, type Mail, type Room } from '../../src/index.ts';
import { runWorkflow } from '../../src/runtime.ts';

/** Passes when the file says so. */
const TESTS = 'cat state.txt; grep -q "^all is well$" state.txt';

let outer: string;
beforeEach(() => void (outer = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-loop-')))));
afterEach(() => fs.rmSync(outer, { recursive: true, force: true }));

/** What an agent makes of a task; the number is that of the commits before. */
type Work = (taskId: string, before: number) => string;

interface Start {
  readonly kind?: string;
  readonly tasks?: readonly { readonly id: string }[];
  readonly taskId?: string;
  readonly epoch?: number;
  readonly description?: string;
  readonly workspace?: { readonly directory: string; readonly branch: string };
}

/** Claims what is offered, commits what `work` says, and approves what others did: with git and mail alone. */
async function serve(agent: Agent, work: Work, heard: string[], signal: AbortSignal): Promise<void> {
  let commits = 0;
  for await (const { message, ack } of iterate(agent, signal)) {
    const { from, type } = message;
    const data = (message.data ?? {}) as Start;
    if (type === 'REVIEW-REQUEST') {
      await agent.send({ to: from, type: 'REVIEW-FEEDBACK', content: 'approve' });
    } else if (data.kind === 'available') {
      for (const { id } of data.tasks ?? []) await agent.send({ to: from, type: 'CLAIM', content: id });
    } else if (data.kind === 'start' && data.workspace && data.taskId !== undefined) {
      const { taskId, epoch, workspace, description = '' } = data;
      const { directory, branch } = workspace;
      heard.push(`${taskId}: ${description}`);
      fs.writeFileSync(path.join(directory, 'state.txt'), `${work(taskId, commits)}\n`);
      await git(['commit', '--all', '--message', `Do ${taskId}`], { directory, author: agent.address });
      commits += 1;
      const commit = await git(['rev-parse', 'HEAD'], { directory });
      await agent.send({ to: from, type: 'COMPLETED', content: taskId, data: { taskId, epoch, commit, branch } });
    }
    await ack();
  }
}

async function* iterate(
  agent: Agent,
  signal: AbortSignal,
): AsyncGenerator<Pick<Mail, 'message'> & { ack: () => unknown }> {
  for await (const mail of agent.inbox({ signal })) yield { message: mail.message, ack: () => mail.ack() };
}

/** A development of one task in a repository of its own, by two agents. */
async function develop(
  work: Work,
  testCommand = TESTS,
): Promise<{ report: LoopReport; heard: string[]; room: Room; repository: string }> {
  const repository = path.join(outer, 'repository');
  fs.mkdirSync(repository);
  fs.writeFileSync(path.join(repository, 'state.txt'), 'nothing is there\n');
  await git(['init', '--quiet', '--initial-branch=main'], { directory: repository });
  await git(['add', '--all'], { directory: repository });
  await git(['commit', '--quiet', '--message', 'Start'], { directory: repository });
  const base = await git(['rev-parse', 'HEAD'], { directory: repository });
  const { directory } = await initRoom({ cwd: outer, limits: { rateLimit: 1_000 } });
  const room = await openRoom({ directory });
  const heard: string[] = [];
  const leaving = new AbortController();
  const agents = await Promise.all(['ada', 'ben'].map((address) => room.join(address)));
  const serving = agents.map((agent) => serve(agent, work, heard, leaving.signal));
  const result = await runWorkflow(room, machine, {
    input: {
      feature: 'All shall be well.',
      repository: {
        directory: repository,
        base,
        branch: 'mailroom/well',
        run: 'well1',
        workDirectory: path.join(outer, 'work'),
      },
      testCommand,
      agents: ['ada', 'ben'],
      // Nobody of that name is there, so that it begins at once.
      researcher: 'nobody',
      plan: { tasks: [{ id: 'wellness', title: 'Make all well', description: 'In state.txt.' }] },
    },
  });
  leaving.abort();
  await Promise.all(serving);
  if (result.status !== 'done') throw new Error(`it ended with ${JSON.stringify(result)}`);
  return { report: result.output, heard, room, repository };
}

test('a failing run is mended three times at most, and then it says that the tests still fail', async () => {
  const { report, heard, room, repository } = await develop((taskId) => `still wrong after ${taskId}`);
  await using _ = room;
  expect(report).toMatchObject({
    outcome: 'tests-failed',
    reason: 'the tests still fail after 3 rounds of mending',
    delivery: null,
  });
  // Each run saw what the round before it had made, and told the next one.
  const states = ['wellness', 'fix-1', 'fix-2', 'fix-3'].map((id) => `still wrong after ${id}`);
  expect(report.tests.map(({ exitCode, output }) => [exitCode, output])).toEqual(states.map((state) => [1, state]));
  expect(heard.map((line) => line.split(':')[0])).toEqual(['wellness', 'fix-1', 'fix-2', 'fix-3']);
  for (const [round, state] of states.slice(0, -1).entries()) expect(heard[round + 1]).toContain(state);
  expect(report.changes.map(({ taskId, outcome }) => `${taskId} ${outcome}`)).toEqual(
    ['wellness', 'fix-1', 'fix-2', 'fix-3'].map((id) => `${id} merged`),
  );
  // What there is lies on the branch, and nowhere else.
  expect(await git(['show', 'mailroom/well:state.txt'], { directory: repository })).toBe('still wrong after fix-3');
  expect(await git(['rev-parse', 'main'], { directory: repository })).toBe(report.base);
  console.log(`${report.tests.length} runs of the tests, ${report.changes.length} tasks merged`);
});

test('what the second round mends is delivered', async () => {
  const { report, room } = await develop((taskId) => (taskId === 'fix-2' ? 'all is well' : `wrong after ${taskId}`));
  await using _ = room;
  expect(report.outcome).toBe('delivered');
  expect(report.tests.map(({ exitCode }) => exitCode)).toEqual([1, 1, 0]);
  const text = fs.readFileSync(report.delivery?.pullRequest ?? '', 'utf8');
  expect(text).toContain('Mend what the tests found (round 2 of 3)');
});

describe('a commit that somebody puts on the branch that is delivered', () => {
  /** Commits there, as any program can. */
  const PLANT = 'git -c user.name=Eve -c user.email=eve@localhost commit --quiet --allow-empty -m Planted';

  test.each([
    [
      'while a task is worked on',
      TESTS,
      (): unknown => execFileSync('sh', ['-c', PLANT], { cwd: path.join(outer, 'work', 'integration') }),
    ],
    ['while the tests run', `${PLANT}; ${TESTS}`, (): unknown => undefined],
  ] as const)('%s ends the development before it is delivered, and is named', async (_when, testCommand, plant) => {
    const { report, room, repository } = await develop(() => {
      plant();
      return 'all is well';
    }, testCommand);
    await using _ = room;
    const planted = await git(['rev-parse', 'mailroom/well'], { directory: repository });
    expect(report).toMatchObject({ outcome: 'failed', delivery: null });
    expect(report.reason).toContain(`The branch mailroom/well is at ${planted}`);
    expect(report.reason).toContain(`Nobody has reviewed what was added: ${planted} "Planted" by Eve.`);
  });
});
