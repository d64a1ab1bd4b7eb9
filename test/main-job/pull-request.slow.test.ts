import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { until } from '../hostile/until.ts';
import { MIND, TeamRun } from './team-run.ts';

const TEAM = `alice=${MIND},bob=${MIND}`;
const PHASE_MS_MAX = 180_000;

/** What is the user's own; git notes what it has pushed. */
function users(run: TeamRun): object {
  const { refs, ...others } = run.users() as { refs: readonly string[] };
  return { ...others, refs: refs.filter((line) => !line.startsWith('refs/remotes/origin/mailroom/')) };
}

/** The words of a plan of one task, and of a pull request. */
function wordsFor(run: TeamRun): string[] {
  const plan = path.join(run.outer, 'plan.json');
  fs.writeFileSync(plan, JSON.stringify({ tasks: [{ id: 'sum', title: 'Sum of numbers', description: 'Add it.' }] }));
  return ['--plan', plan, '--pull-request'];
}

it('delivers a feature and opens one pull request, also when it is killed while gh is at work', async () => {
  await using run = new TeamRun();
  const { remote, gh } = run.addRemote('hangs');
  const words = wordsFor(run);
  const before = users(run);
  const killed = run.start(TEAM, { words });
  const calls = path.join(gh, 'calls.jsonl');
  await until(
    'gh is asked',
    () => fs.existsSync(calls) && fs.readFileSync(calls, 'utf8').includes('"list"'),
    PHASE_MS_MAX,
  );
  run.kill();
  expect((await killed).code).toBeNull();
  fs.writeFileSync(path.join(gh, 'trouble'), '');
  const { code, stdout, stderr } = await run.start(TEAM, { words });
  expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' });
  const [pull, ...others] = JSON.parse(fs.readFileSync(path.join(gh, 'pulls.json'), 'utf8')) as { url: string }[];
  expect(others).toEqual([]);
  expect(stdout).toMatch(new RegExp(`^ +[\\d.]+ s +the pull request is open: ${pull?.url}$`, 'm'));
  expect(stdout).toContain(`The pull request: ${pull?.url}\n`);
  expect(users(run)).toEqual(before);
  const pushed = execFileSync('git', ['rev-parse', 'mailroom/numbers'], { cwd: remote, encoding: 'utf8' }).trim();
  expect(pushed).toBe(run.git('rev-parse', 'mailroom/numbers'));
});

it('delivers a feature whose pull request cannot be opened, says how to do that, and ends with exit code 1', async () => {
  await using run = new TeamRun();
  run.addRemote('refuses');
  const { code, stdout, stderr } = await run.start(TEAM, { words: wordsFor(run) });
  expect({ code, stderr }, stdout).toEqual({ code: 1, stderr: '' });
  expect(stdout).toContain('The branch mailroom/numbers is ready');
  expect(stdout).toMatch(/The pull request could not be opened:\n {2}gh pr create failed \(1\): .*too quickly/);
  expect(stdout).toMatch(/\n {2}cd \S+ && gh pr create --head mailroom\/numbers --base main --title Numbers /);
  expect(fs.readFileSync(path.join(run.runs, 'numbers-1', 'ended'), 'utf8')).toBe('delivered\n');
});
