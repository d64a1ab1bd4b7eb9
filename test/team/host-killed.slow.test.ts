import fs from 'node:fs';
import { expect, it } from 'vitest';
import { until } from '../hostile/until.ts';
import { planOfOne, TEAM } from './one-task.ts';
import { TeamRun } from './team-run.ts';

const PATIENCE_MS = 180_000;

// Takes some seconds, because a team is started three times.
it('a killed host leaves nothing working unseen, and answered questions are not asked again', async () => {
  await using run = new TeamRun();
  const words = planOfOne(run);
  const killed = run.start(TEAM, { words, isGated: true });
  const reached = `${run.gate}.reached`;
  await until('the model works', () => fs.existsSync(reached) && fs.readFileSync(reached, 'utf8') !== '', PATIENCE_MS);
  const atWork = fs.readFileSync(reached, 'utf8');

  const second = await run.start(TEAM, { words });
  expect([second.code, second.stdout]).toEqual([2, '']);
  expect(second.stderr).toMatch(/^The run in \S+numbers-1 is being carried out by process \d+\. .*\n$/);

  run.kill(0);
  expect((await killed).code).toBeNull();
  // All members have stopped, and every mind without a question is gone.
  while ((await run.alive()).some((address) => address !== atWork)) await pause();
  expect(await run.alive()).toEqual([atWork]);
  fs.writeFileSync(run.gate, '');
  while ((await run.alive()).length > 0) await pause();

  const resumed = run.start(TEAM, { words, isGated: true });
  const kinds = (): string[] => run.mindRuns().map(({ kind }) => kind);
  await until('what was done then is reviewed', () => kinds().includes('review'), PATIENCE_MS);
  run.interrupt();
  expect(await resumed).toMatchObject({ code: 130, stderr: '' });
  expect(kinds().filter((kind) => kind === 'work')).toEqual(['work']);
  // A member waits 8 s for its mind, longer on a busy machine; a mind that stays would block until the test times out.
  while ((await run.alive()).length > 0) await pause();
});

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 100));
}
