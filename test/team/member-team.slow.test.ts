import fs from 'node:fs';
import { expect, it } from 'vitest';
import { TeamRun } from './team-run.ts';

it('ends with one clear line if nobody ever answers, and leaves no process', async () => {
  await using run = new TeamRun();
  const { code, stdout } = await run.start(`alice='sleep 600',bob='sleep 600'`.replaceAll("'", ''), {
    words: ['--max-hours', '0.004'],
  });
  expect(code).toBe(1);
  expect(stdout).toContain('Not delivered (time-over): 0.004 hours are over, and nobody has claimed a task.');
  expect(await run.alive()).toEqual([]);
});

it('gives a task back if nothing was changed, and names at the end the task that nobody can do', async () => {
  await using run = new TeamRun();
  const before = run.users();
  const plan = `${run.outer}/plan.json`;
  fs.writeFileSync(plan, JSON.stringify({ tasks: [{ id: 'sum', title: 'Sum of numbers', description: 'Add it.' }] }));
  const { code, stdout } = await run.start('alice=echo I would rather not,bob=echo Nor would I', {
    words: ['--plan', plan],
  });
  expect(code, stdout).toBe(1);
  expect(stdout).toMatch(/RETURNED by alice: I would rather not/);
  expect(stdout).toMatch(/RETURNED by bob: Nor would I/);
  // The agent that claims it first returns it first.
  const returned = ['alice returned it: I would rather not', 'bob returned it: Nor would I'];
  const endings = [returned, returned.toReversed()].map(
    (each) => `Not delivered (blocked): nobody can do sum (lost 2 times: ${each.join('; ')}).`,
  );
  expect(
    endings.filter((ending) => stdout.includes(ending)),
    stdout,
  ).toHaveLength(1);
  expect(run.users()).toEqual(before);
});
