import fs from 'node:fs';
import { expect, it } from 'vitest';
import { until } from '../processes/child.ts';
import { MIND, TeamRun, type MindRun } from './team-run.ts';

const TEAM = `alice=${MIND},bob=${MIND}`;
const PATIENCE_MS = 200_000;

/** Questions for which the model ran more than once. */
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
  // The model approves even the change whose tests fail; the member that runs them does not.
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
  // The checkouts of the reviews are gone; those of the tasks stay in the run.
  expect(run.git('worktree', 'list')).not.toContain('/reviews/');
});

it('asks the mind once, even if member and mind are killed while it works', async () => {
  await using run = new TeamRun();
  const ended = run.start(TEAM, { isGated: true });
  const reached = `${run.gate}.reached`;
  await until('the model works', () => fs.existsSync(reached) && fs.readFileSync(reached, 'utf8') !== '', PATIENCE_MS);
  const mind = fs.readFileSync(reached, 'utf8');
  const member = mind.replace(/\.mind$/, '');
  const killed = [await run.pidOf(member), await run.pidOf(mind)];
  for (const pid of killed) process.kill(pid ?? 0, 'SIGKILL');
  for (let next: unknown; next === undefined || killed.includes(next as number); next = await run.pidOf(mind)) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  fs.writeFileSync(run.gate, '');
  const { code, stdout } = await ended;
  expect(code, stdout).toBe(0);
  expect(stdout).toContain(`died, restarting: ${member}`);
  const runs = run.mindRuns();
  expect(askedTwice(runs)).toEqual([]);
  expect(
    runs
      .filter(({ kind }) => kind === 'work')
      .map(({ task }) => task)
      .toSorted(),
  ).toEqual(['product', 'sum']);
});

it('reaches the same end when a member is killed after each of its questions', async () => {
  await using run = new TeamRun();
  let isOver = false;
  const ended = run.start(TEAM).finally(() => (isOver = true));
  let [seen, kills] = [0, 0];
  while (!isOver) {
    const runs = run.mindRuns();
    for (const { as } of runs.slice(seen)) {
      const pid = await run.pidOf(as.replace(/\.mind$/, ''));
      if (pid === undefined) continue;
      process.kill(pid, 'SIGKILL');
      kills += 1;
    }
    seen = runs.length;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { code, stdout } = await ended;
  expect(code, stdout).toBe(0);
  expect(kills).toBeGreaterThan(4);
  expect(askedTwice(run.mindRuns())).toEqual([]);
  const work = run.mindRuns().filter(({ kind }) => kind === 'work');
  expect(work.map(({ task }) => task).toSorted()).toEqual(['product', 'sum']);
  expect(run.testsOf('mailroom/numbers')).toMatch(/^# pass 3$/m);
  console.log(`killed ${kills} times, asked ${run.mindRuns().length} times`);
});

it('shuts down cleanly when interrupted, and resumes when the same command is repeated', async () => {
  await using run = new TeamRun();
  const first = run.start(TEAM, { isGated: true });
  await until('the model works', () => fs.existsSync(`${run.gate}.reached`), PATIENCE_MS);
  run.interrupt();
  expect(await first).toMatchObject({ code: 130, stderr: '' });
  expect(await run.alive()).toEqual([]);
  fs.writeFileSync(run.gate, '');
  const second = await run.start(TEAM, { isGated: true });
  expect(second, second.stdout).toMatchObject({ code: 0, stderr: '' });
  expect(second.stdout).toContain('Resuming the run in');
  // Only questions in progress at the interrupt are asked again.
  expect(askedTwice(run.mindRuns().filter(({ kind }) => kind !== 'work'))).toEqual([]);
  expect(run.testsOf('mailroom/numbers')).toMatch(/^# pass 3$/m);
});
