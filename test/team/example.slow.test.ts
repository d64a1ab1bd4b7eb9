import { expect, test } from 'vitest';
import { drawNumbers } from '../../src/testing/crash/matrix.ts';
import { amount } from '../run/amount.ts';
import { ExampleRun, PHASES } from './example-run.ts';
import { expectDelivered } from './expect-delivered.ts';

const SEED = Number(process.env['MAILROOM_SEED'] ?? Date.now() % 2 ** 31);
const KILLS = amount(1, { long: 2 });

/** Random phases, in their order. */
function drawPhases(): string[] {
  const next = drawNumbers(SEED);
  const drawn = new Set<number>();
  while (drawn.size < KILLS) drawn.add(next() % PHASES.length);
  return [...drawn].sort((a, b) => a - b).map((at) => PHASES[at] ?? '');
}

test('four agents build a feature, and a kill of the host in any phase loses nothing', async () => {
  using run = new ExampleRun();
  const phases = drawPhases();
  for (const phase of phases) {
    run.start();
    await run.killAt(phase);
  }
  run.start();
  const exitCode = await run.ended();
  const story = `seed ${SEED}, killed at: ${phases.join(', ')}\n${run.printed}`;
  console.log(story);
  expect(exitCode, story).toBe(0);
  expectDelivered(run);
});

test('Ctrl-C ends the host and its agents, and says how to resume', async () => {
  using run = new ExampleRun();
  run.start();
  await run.killAt('claimed by');
  run.start();
  while (!run.printed.includes('already running')) await new Promise((resolve) => setTimeout(resolve, 20));
  run.signal('SIGINT');
  expect(await run.ended(), run.printed).toBe(130);
  expect(run.printed).toContain('To resume, repeat the same command');
  expect(run.processesLeft()).toEqual([]);
});
