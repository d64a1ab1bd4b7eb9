import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { until } from '../hostile/until.ts';
import { TEAM, wordsFor } from './one-task.ts';
import { TeamRun } from './team-run.ts';

const PHASE_MS_MAX = 180_000;

/** The user's own data, except git's record of the push. */
function users(run: TeamRun): object {
  const { refs, ...others } = run.users() as { refs: readonly string[] };
  return { ...others, refs: refs.filter((line) => !line.startsWith('refs/remotes/origin/mailroom/')) };
}

it('delivers a feature and opens one pull request, even if it is killed while gh runs', async () => {
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
