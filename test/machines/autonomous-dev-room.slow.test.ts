import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { machine } from '../../machines/autonomous-dev.ts';
import { git } from '../../machines/autonomous-dev/git.ts';
import type { LoopInput } from '../../machines/autonomous-dev/input.ts';
import type { LoopReport } from '../../machines/autonomous-dev/report.ts';
import { choice } from '../run/amount.ts';
import { SEED } from '../run/seed.ts';
import { initRoom, openRoom, type Agent, type Mail, type Room } from 'agent-mailroom';
import { runWorkflow } from 'agent-mailroom/runtime';

/** Passes when the file says so. */
const TESTS = 'cat state.txt; grep -q "^all is well$" state.txt';

let outer: string;
beforeEach(() => void (outer = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-loop-')))));
afterEach(() => fs.rmSync(outer, { recursive: true, force: true }));

/** An agent's work on a task after `before` commits: the new text. Null if it returns the task, undefined if it falls silent. */
type Work = (taskId: string, before: number) => string | null | undefined;

interface Conduct {
  readonly work: Work;
  /** Whether it claims an offered task; it never claims a task again that it returned. */
  readonly claims?: (task: Offer) => boolean;
  /** Answers to a REVIEW-REQUEST. Default: approve. */
  readonly reviews?: 'REVIEW-FEEDBACK' | 'BLOCKED';
}

interface Offer {
  readonly id: string;
  readonly epoch: number;
}

interface Start {
  readonly kind?: string;
  readonly tasks?: readonly Offer[];
  readonly taskId?: string;
  readonly epoch?: number;
  readonly description?: string;
  readonly workspace?: { readonly directory: string; readonly branch: string };
}

/** Claims offered tasks, commits what `work` returns, and reviews the others' changes, with git and mail alone. */
async function serve(agent: Agent, conduct: Conduct, heard: string[], signal: AbortSignal): Promise<void> {
  const { work, claims = () => true, reviews = 'REVIEW-FEEDBACK' } = conduct;
  const returned = new Set<string>();
  let commits = 0;
  for await (const { message, ack } of iterate(agent, signal)) {
    const { from, type } = message;
    const data = (message.data ?? {}) as Start;
    if (type === 'REVIEW-REQUEST') {
      heard.push(`${agent.address} is asked for a review`);
      await agent.send({ to: from, type: reviews, content: reviews === 'BLOCKED' ? 'I cannot review' : 'approve' });
    } else if (data.kind === 'available') {
      const wanted = (data.tasks ?? []).filter((task) => claims(task) && !returned.has(task.id));
      for (const { id } of wanted) await agent.send({ to: from, type: 'CLAIM', content: id });
    } else if (data.kind === 'start' && data.workspace && data.taskId !== undefined) {
      const { taskId, epoch, workspace, description = '' } = data;
      const { directory, branch } = workspace;
      heard.push(`${agent.address} is asked to work on ${taskId}: ${description}`);
      const state = work(taskId, commits);
      if (state === null) {
        returned.add(taskId);
        await agent.send({ to: from, type: 'BLOCKED', content: `${taskId}: I cannot do it`, data: { taskId, epoch } });
      } else if (state !== undefined) {
        fs.writeFileSync(path.join(directory, 'state.txt'), `${state}\n`);
        await git(['commit', '--all', '--message', `Do ${taskId}`], { directory, author: agent.address });
        commits += 1;
        const commit = await git(['rev-parse', 'HEAD'], { directory });
        await agent.send({ to: from, type: 'COMPLETED', content: taskId, data: { taskId, epoch, commit, branch } });
      }
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

const TASK = { id: 'wellness', title: 'Make all well', description: 'In state.txt.' };

/** A development by two agents in a repository of its own. Default: of one task. */
async function develop(
  conduct: { readonly ada: Conduct; readonly ben: Conduct },
  over: Partial<LoopInput> = {},
): Promise<{ report: LoopReport; heard: string[]; room: Room; repository: string }> {
  const repository = path.join(outer, 'repository');
  fs.mkdirSync(repository);
  fs.writeFileSync(path.join(repository, 'state.txt'), 'nothing is there yet\nall is well\n');
  await git(['init', '--quiet', '--initial-branch=main'], { directory: repository });
  await git(['add', '--all'], { directory: repository });
  await git(['commit', '--quiet', '--message', 'Start'], { directory: repository });
  const base = await git(['rev-parse', 'HEAD'], { directory: repository });
  const { directory } = await initRoom({ cwd: outer, limits: { rateLimit: 1_000 } });
  const room = await openRoom({ directory });
  const heard: string[] = [];
  const leaving = new AbortController();
  const agents = await Promise.all((['ada', 'ben'] as const).map((address) => room.join(address)));
  const serving = agents.map((agent) =>
    serve(agent, agent.address === 'ada' ? conduct.ada : conduct.ben, heard, leaving.signal),
  );
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
      testCommand: TESTS,
      agents: ['ada', 'ben'],
      // No agent has that name, so that the development starts at once.
      researcher: 'nobody',
      plan: { tasks: [TASK] },
      ...over,
    },
  });
  leaving.abort();
  await Promise.all(serving);
  if (result.status !== 'done') throw new Error(`it ended with ${JSON.stringify(result)}`);
  return { report: result.output, heard, room, repository };
}

const bothDo = (work: Work): { ada: Conduct; ben: Conduct } => ({ ada: { work }, ben: { work } });

test('a failing test run gets at most three fix rounds; then the reason says that the tests still fail', async () => {
  const { report, heard, room, repository } = await develop(bothDo((taskId) => `still wrong after ${taskId}`));
  await using _ = room;
  expect(report).toMatchObject({
    outcome: 'tests-failed',
    reason: 'the tests still fail after 3 fix rounds',
    delivery: null,
  });
  // Each run saw the work of the round before, and its output went into the next task.
  const tasks = ['wellness', 'fix-1', 'fix-2', 'fix-3'];
  const states = tasks.map((id) => `still wrong after ${id}`);
  expect(report.tests.map(({ exitCode, output }) => [exitCode, output])).toEqual(states.map((state) => [1, state]));
  const asked = heard.flatMap((line) => /is asked to work on ([^]*)/.exec(line)?.[1] ?? []);
  expect(asked.map((line) => line.split(':')[0])).toEqual(tasks);
  for (const [round, state] of states.slice(0, -1).entries()) expect(asked[round + 1]).toContain(state);
  expect(report.changes.map(({ taskId, outcome }) => `${taskId} ${outcome}`)).toEqual(
    tasks.map((id) => `${id} merged`),
  );
  // The work is on the branch, and nowhere else.
  expect(await git(['show', 'mailroom/well:state.txt'], { directory: repository })).toBe('still wrong after fix-3');
  expect(await git(['rev-parse', 'main'], { directory: repository })).toBe(report.base);
  console.log(`${report.tests.length} runs of the tests, ${report.changes.length} tasks merged`);
});

test('a fix in the second round is delivered', async () => {
  const { report, room } = await develop(
    bothDo((taskId) => (taskId === 'fix-2' ? 'all is well' : `wrong after ${taskId}`)),
  );
  await using _ = room;
  expect(report.outcome).toBe('delivered');
  expect(report.tests.map(({ exitCode }) => exitCode)).toEqual([1, 1, 0]);
  const text = fs.readFileSync(report.delivery?.pullRequest ?? '', 'utf8');
  expect(text).toContain('Fix the failing tests (round 2 of 3)');
});

test('the work of one agent is delivered although the other returns every task, and each is asked once', async () => {
  const { report, heard, room } = await develop({
    // Claims only after the other agent has returned the task, so that the review comes after that.
    ada: { work: () => 'all is well', claims: ({ epoch }) => epoch > 1 },
    ben: { work: () => null },
  });
  await using _ = room;
  expect(report).toMatchObject({ outcome: 'delivered', reason: 'all tasks are done and the tests pass' });
  expect(heard.map((line) => line.split(':')[0])).toEqual([
    'ben is asked to work on wellness',
    'ada is asked to work on wellness',
    'ben is asked for a review',
  ]);
  expect(report.releases).toMatchObject([{ agent: 'ben', end: 'given-back', reason: 'I cannot do it' }]);
});

test('work that nobody reviews stays with its author, and the run stops with what it waits for', async () => {
  const { report, heard, room, repository } = await develop(
    {
      ada: { work: () => 'all is well', claims: ({ epoch }) => epoch > 1 },
      ben: { work: () => null, reviews: 'BLOCKED' },
    },
    { reviewMinutes: 0.002 },
  );
  await using _ = room;
  const asked = heard.map((line) => line.split(':')[0]);
  expect(asked.filter((line) => line !== 'ben is asked for a review')).toEqual([
    'ben is asked to work on wellness',
    'ada is asked to work on wellness',
  ]);
  expect(asked.length).toBeLessThanOrEqual(2 + 3);
  const commit = report.changes.at(-1)?.submissions[0]?.commit ?? '';
  expect(report.reason).toMatch(
    new RegExp(
      `^wellness cannot be merged, ${commit} of ada waits for a review: ben (?:declined|did not answer within 0.002 minutes); reviews were requested 3 times$`,
    ),
  );
  expect(report).toMatchObject({
    outcome: 'blocked',
    changes: [
      { agent: 'ben', outcome: 'released' },
      { agent: 'ada', outcome: 'stuck' },
    ],
  });
  expect(await git(['show', `${commit}:state.txt`], { directory: repository })).toBe('all is well');
});

test('a task whose holders keep falling silent ends the run after three claims, and the reason lists each', async () => {
  const { report, heard, room } = await develop(
    { ada: { work: () => undefined }, ben: { work: () => null, claims: () => false } },
    { leaseMinutes: 0.005 },
  );
  await using _ = room;
  expect(heard.length).toBeLessThanOrEqual(3);
  expect(report.releases?.map(({ agent, epoch, end }) => `${agent} ${epoch} ${end}`)).toEqual([
    'ada 1 silent',
    'ada 2 silent',
    'ada 3 silent',
  ]);
  expect(report).toMatchObject({
    outcome: 'blocked',
    reason: 'nobody can do wellness (lost 3 times: ada fell silent; ada fell silent; ada fell silent)',
  });
});

describe('a foreign commit on the delivered branch', () => {
  /** Commits on the branch, as any program can. */
  const PLANT = 'git -c user.name=Eve -c user.email=eve@localhost commit --quiet --allow-empty -m Planted';

  const PLANTS = [
    [
      'while a task is worked on',
      TESTS,
      (): unknown => execFileSync('sh', ['-c', PLANT], { cwd: path.join(outer, 'work', 'integration') }),
    ],
    ['while the tests run', `${PLANT}; ${TESTS}`, (): unknown => undefined],
  ] as const;

  // The seed chooses one of them; the long set has both.
  test.each(choice(PLANTS, (one) => one === PLANTS[SEED % PLANTS.length]))(
    '%s ends the development before it is delivered, and is named',
    async (_when, testCommand, plant) => {
      const { report, room, repository } = await develop(
        bothDo(() => {
          plant();
          return 'all is well';
        }),
        { testCommand },
      );
      await using _ = room;
      const planted = await git(['rev-parse', 'mailroom/well'], { directory: repository });
      expect(report).toMatchObject({ outcome: 'failed', delivery: null });
      expect(report.reason).toContain(`The branch mailroom/well is at ${planted}`);
      expect(report.reason).toContain(`Nobody has reviewed what was added: ${planted} "Planted" by Eve.`);
    },
  );
});
