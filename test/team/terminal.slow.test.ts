import { expect, test } from 'vitest';
import { skipWithoutTmux } from '../nudge/tmux-server.ts';
import { closeTerminal, ctrlC, Terminal } from './terminal.ts';

const CLOSING = 'Interrupted; nothing is lost. To resume, repeat the same command.';

// Takes a few seconds each, because a team is started and ended.
test.skipIf(skipWithoutTmux).each([
  ['Ctrl-C', ctrlC],
  ['closing the terminal', closeTerminal],
])('%s ends `npm start` after its closing message, and leaves no agent behind', async (_, how) => {
  await using terminal = await Terminal.open();
  // The shutdown takes a while, as on a busy machine.
  expect(await terminal.endStarted(how, { isBusy: true })).toContain(CLOSING);
});
