import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runWorkflow } from '../../runtime/host.ts';
import { nodeHost } from '../../host/node-host.ts';
import { openRoom } from '../../room/room.ts';
import type { Call } from '../command.ts';
import { createRun } from '../commands/run.ts';
import { runCommandLine } from '../run-command.ts';
import { runMachine } from '../run-machine.ts';

const own = {
  runner: { openRoom, runWorkflow },
  url: pathToFileURL(join(__dirname, '..', 'runtime.js')).href,
};

/** Carries out one command line of `run`. Resolves with its exit code. */
export function carryOut(call: Call): Promise<number> {
  return runMachine(call, own);
}

/** Runs a command line of `run`. `explain` is given another one, for whoever asks for help or has mistyped. */
export function runLine(words: readonly string[], explain: (words: readonly string[]) => Promise<void>): Promise<void> {
  return runCommandLine(words, {
    find: () => createRun(carryOut),
    explain,
    host: nodeHost,
    program: `${__dirname}/mailroom.cjs`,
    nudgeProgram: `${__dirname}/nudge.cjs`,
  });
}
