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

/** Runs one parsed command line of `run`. Resolves with the exit code. */
export function carryOut(call: Call): Promise<number> {
  return runMachine(call, own);
}

/** Runs a command line of `run`. One that asks for help goes to `explain`. */
export function runLine(words: readonly string[], explain: (words: readonly string[]) => Promise<void>): Promise<void> {
  return runCommandLine(words, {
    find: () => createRun(carryOut),
    explain,
    host: nodeHost,
    program: `${__dirname}/mailroom.cjs`,
    nudgeProgram: `${__dirname}/nudge.cjs`,
  });
}
