import { expect, test } from 'vitest';
import { ctrlC, Terminal } from './terminal.ts';

const TRIES = 10;

test(`Ctrl-C lets npm start print its closing message, ${TRIES} times of ${TRIES}`, async () => {
  await using terminal = await Terminal.open();
  let closed = 0;
  for (let tries = 0; tries < TRIES; tries++) {
    if ((await terminal.endStarted(ctrlC)).includes('To resume, repeat the same command')) closed += 1;
  }
  expect(closed).toBe(TRIES);
});
