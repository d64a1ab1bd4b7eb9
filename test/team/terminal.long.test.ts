import { expect, test } from 'vitest';
import { ctrlC, Terminal } from './terminal.ts';

const TRIES = 10;

test(`Ctrl-C lets the main job print its closing message, ${TRIES} times of ${TRIES}`, async () => {
  await using terminal = await Terminal.open();
  let closed = 0;
  for (let tries = 0; tries < TRIES; tries++) {
    if ((await terminal.endStarted(ctrlC)).includes('To go on, give the same command again')) closed += 1;
  }
  expect(closed).toBe(TRIES);
});
