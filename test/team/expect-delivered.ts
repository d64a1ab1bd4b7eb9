import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import type { ExampleRun } from './example-run.ts';

const TASKS = ['bad-rows', 'by-month', 'csv-quoting', 'json-format', 'split'];

/** Everything that must hold after a run of the example, however often it was killed. */
export function expectDelivered(run: ExampleRun): void {
  const { printed } = run;

  // The delivery is checked with git and node alone.
  const branch = path.join(run.directory, 'integration');
  const tests = spawnSync('npm', ['test', '--silent'], { cwd: branch, encoding: 'utf8' });
  expect(tests.status, tests.stdout).toBe(0);
  expect(run.git('rev-parse', 'mailroom/feature')).toBe(
    spawnSync('git', ['rev-parse', 'HEAD'], { cwd: branch, encoding: 'utf8' }).stdout.trim(),
  );
  expect(run.git('status', '--porcelain')).toBe('');
  expect(run.git('rev-list', '--count', 'main')).toBe('1');

  // Each task was merged once, and no commit appears twice.
  const merges = run.git('log', '--first-parent', '--merges', '--format=%s', 'main..mailroom/feature').split('\n');
  expect(merges.map((subject) => /^Merge ([a-z-]+):/.exec(subject)?.[1] ?? '').sort()).toEqual(TASKS);
  const commits = run.git('log', '--no-merges', '--format=%an %s', 'main..mailroom/feature').split('\n');
  expect(new Set(commits).size).toBe(commits.length);

  // The events that the example demonstrates did happen.
  expect(printed).toMatch(/split +REJECTED [0-9a-f]+ of ben/);
  expect(printed).toMatch(/csv-quoting +LOST by dan/);
  expect(printed).toMatch(/CONFLICT in src\/options\.js/);
  expect(printed).toMatch(/VOTE: change/);
  expect(fs.readFileSync(path.join(branch, 'README.md'), 'utf8')).toMatch(/^Policy: strict\./m);

  // No answered question was asked twice.
  const asked = run.agentLines().filter((line) => /QUESTION from autonomous-dev-loop:/.test(line));
  expect(asked).toHaveLength(2);
  const reviews = run.agentLines().flatMap((line) => /\S+ (.*, round \d+: \S+)/.exec(line)?.[1] ?? []);
  console.log(`${merges.length} merges, ${commits.length} commits, ${reviews.length} reviews`);

  const log = fs.readFileSync(path.join(run.directory, '.mailroom', 'log', 'agent_messages.log'), 'utf8');
  expect(log).not.toContain('RateLimitExceeded');
  expect(log).not.toContain('RATE_LIMIT');

  // The text of the pull request names existing messages.
  const text = fs.readFileSync(path.join(run.directory, 'PULL-REQUEST.md'), 'utf8');
  const ids = [...text.matchAll(/\(([0-9a-f]{8})\)/g)].map(([, id = '']) => id);
  expect(ids.length).toBeGreaterThan(10);
  expect(ids.filter((id) => !log.includes(id))).toEqual([]);
  expect(run.processesLeft()).toEqual([]);
}
