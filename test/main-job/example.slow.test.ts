import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { drawNumbers } from '../../src/testing/draw-numbers.ts';
import { ExampleRun, PHASES } from './example-run.ts';

const SEED = Number(process.env['MAILROOM_SEED'] ?? Date.now() % 2 ** 31);
const TASKS = ['bad-rows', 'by-month', 'csv-quoting', 'json-format', 'split'];
const KILLS = 3;

/** Three phases, in their order. */
function drawPhases(): string[] {
  const next = drawNumbers(SEED);
  const drawn = new Set<number>();
  while (drawn.size < KILLS) drawn.add(next() % PHASES.length);
  return [...drawn].sort((a, b) => a - b).map((at) => PHASES[at] ?? '');
}

test('four agents build a feature, and a kill of the main job in three phases costs nothing', async () => {
  using run = new ExampleRun();
  const phases = drawPhases();
  for (const phase of phases) {
    run.start();
    await run.killAt(phase);
  }
  run.start();
  const exitCode = await run.ended();
  const { printed } = run;
  console.log(`seed ${SEED}, killed at: ${phases.join(', ')}\n${printed}`);
  expect(exitCode).toBe(0);

  // What is delivered holds, looked at with git and node alone.
  const branch = path.join(run.directory, 'integration');
  const tests = spawnSync('npm', ['test', '--silent'], { cwd: branch, encoding: 'utf8' });
  expect(tests.status, tests.stdout).toBe(0);
  expect(run.git('rev-parse', 'mailroom/feature')).toBe(
    spawnSync('git', ['rev-parse', 'HEAD'], { cwd: branch, encoding: 'utf8' }).stdout.trim(),
  );
  expect(run.git('status', '--porcelain')).toBe('');
  expect(run.git('rev-list', '--count', 'main')).toBe('1');

  // Each task was merged once, and no commit is there twice.
  const merges = run.git('log', '--first-parent', '--merges', '--format=%s', 'main..mailroom/feature').split('\n');
  expect(merges.map((subject) => /^Merge ([a-z-]+):/.exec(subject)?.[1] ?? '').sort()).toEqual(TASKS);
  const commits = run.git('log', '--no-merges', '--format=%an %s', 'main..mailroom/feature').split('\n');
  expect(new Set(commits).size).toBe(commits.length);

  // What the example is about did happen.
  expect(printed).toMatch(/split +REJECTED [0-9a-f]+ of ben/);
  expect(printed).toMatch(/csv-quoting +LOST by dan/);
  expect(printed).toMatch(/CONFLICT in src\/options\.js/);
  expect(printed).toMatch(/VOTE: change/);
  expect(fs.readFileSync(path.join(branch, 'README.md'), 'utf8')).toMatch(/^Policy: strict\./m);

  // Nobody was asked twice for what was answered.
  const asked = run.agentLines().filter((line) => /QUESTION from autonomous-dev-loop:/.test(line));
  expect(asked).toHaveLength(2);
  const reviews = run.agentLines().flatMap((line) => /\S+ (.*, round \d+: \S+)/.exec(line)?.[1] ?? []);
  console.log(`${merges.length} merges, ${commits.length} commits, ${reviews.length} reviews`);

  const log = fs.readFileSync(path.join(run.directory, '.mailroom', 'log', 'agent_messages.log'), 'utf8');
  expect(log).not.toContain('RateLimitExceeded');
  expect(log).not.toContain('RATE_LIMIT');

  // The text of the pull request names messages that are there.
  const text = fs.readFileSync(path.join(run.directory, 'PULL-REQUEST.md'), 'utf8');
  const ids = [...text.matchAll(/\(([0-9a-f]{8})\)/g)].map(([, id = '']) => id);
  expect(ids.length).toBeGreaterThan(10);
  expect(ids.filter((id) => !log.includes(id))).toEqual([]);
  expect(run.processesLeft()).toEqual([]);
});

test('Ctrl-C ends it and its agents, and says how to go on', async () => {
  using run = new ExampleRun();
  run.start();
  await run.killAt('claimed by').catch(() => {});
  run.start();
  while (!run.printed.includes('was alive')) await new Promise((resolve) => setTimeout(resolve, 20));
  run.signal('SIGINT');
  expect(await run.ended()).toBe(130);
  expect(run.printed).toContain('To go on, give the same command again');
  expect(run.processesLeft()).toEqual([]);
});
