import { nodeHost } from '../../host/node-host.ts';
import { run } from '../commands/run.ts';
import { runCommandLine } from '../run-command.ts';

/** Runs a command line of `run`. `explain` is given another one, for whoever asks for help or has mistyped. */
export function runMachine(
  words: readonly string[],
  { explain, nudgeProgram }: { explain: (words: readonly string[]) => Promise<void>; nudgeProgram: string },
): Promise<void> {
  return runCommandLine(words, { find: () => run, explain, host: nodeHost, nudgeProgram });
}
