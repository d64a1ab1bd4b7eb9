import { expect, test } from 'vitest';
import { ExampleRun, PHASES } from './example-run.ts';
import { expectDelivered } from './expect-delivered.ts';
import { FROM_SOURCE } from './program.ts';

test.each(PHASES)('a kill of the host at %j loses nothing', async (phase) => {
  using run = new ExampleRun(FROM_SOURCE);
  run.start();
  await run.killAt(phase);
  run.start();
  expect(await run.ended(), run.printed).toBe(0);
  expectDelivered(run);
});
