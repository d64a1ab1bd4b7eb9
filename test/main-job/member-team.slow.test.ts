import fs from 'node:fs';
import { expect, it } from 'vitest';
import { MIND, TeamRun, type MindRun } from './team-run.ts';

const TEAM = `alice=${MIND},bob=${MIND}`;

/** Questions that the model was run for more than once. */
function askedTwice(runs: readonly MindRun[]): string[] {
  const ids = runs.map(({ id }) => id);
  return ids.filter((id, at) => ids.indexOf(id) !== at);
}

it("builds a feature with the user's own agents, and leaves what is the user's alone", async () => {
  await using run = new TeamRun();
  const before = run.users();
  const { code, stdout, stderr } = await run.start(TEAM);
  expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' });
  expect(run.users()).toEqual(before);
  // The model approves everything of the task whose tests fail: the member that runs them does not.
  expect(stdout).toMatch(/REJECTED .* of \w+ in round 1:\n {6}\w+: npm test: exit code 1; not ok/);
  expect(stdout).toMatch(/DISAGREEMENT on say what the product of no numbers is/);
  expect(stdout).toMatch(/VOTE: keep/);
  expect(stdout).toMatch(/CONFLICT in src\/index.mjs/);
  expect(stdout).toContain('The branch mailroom/numbers is ready');
  expect(run.testsOf('mailroom/numbers')).toMatch(/^# pass 3$/m);
  const authors = run.git('log', '--no-merges', '--format=%an <%ae>', 'main..mailroom/numbers').split('\n');
  expect(new Set(authors)).toEqual(new Set(['alice <alice@localhost>', 'bob <bob@localhost>']));
  const runs = run.mindRuns();
  expect(askedTwice(runs)).toEqual([]);
  expect(new Set(runs.map(({ kind }) => kind))).toEqual(
    new Set(['research', 'plan', 'work', 'review', 'stands', 'rework', 'vote', 'mend']),
  );
  expect(await run.alive()).toEqual([]);
  // The checkouts of the reviews are gone; those of the tasks lie in the run.
  expect(run.git('worktree', 'list')).not.toContain('/reviews/');
});

it('ends with one clear line when nobody ever answers, and with nothing left running', async () => {
  await using run = new TeamRun();
  const { code, stdout } = await run.start(`alice='sleep 600',bob='sleep 600'`.replaceAll("'", ''), {
    words: ['--max-hours', '0.004'],
  });
  expect(code).toBe(1);
  expect(stdout).toContain('Not delivered (time-over): 0.004 hours are over, and nobody has claimed a task.');
  expect(await run.alive()).toEqual([]);
});

it('gives a task back when nothing was changed, and says in the end what nobody can do', async () => {
  await using run = new TeamRun();
  const before = run.users();
  const plan = `${run.outer}/plan.json`;
  fs.writeFileSync(plan, JSON.stringify({ tasks: [{ id: 'sum', title: 'Sum of numbers', description: 'Add it.' }] }));
  const { code, stdout } = await run.start('alice=echo I would rather not,bob=echo Nor would I', {
    words: ['--plan', plan],
  });
  expect(code, stdout).toBe(1);
  expect(stdout).toMatch(/LOST by alice: I would rather not/);
  expect(stdout).toMatch(/LOST by bob: Nor would I/);
  expect(stdout).toContain('Not delivered (blocked): nobody can do sum.');
  expect(run.users()).toEqual(before);
});
