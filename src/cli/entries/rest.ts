import { nodeHost } from '../../host/node-host.ts';
import { splitLine } from '../command-spec.ts';
import type { CliCommand } from '../command.ts';
import { createCommands } from '../command-table.ts';
import { findCommand } from '../commands/help.ts';
import { createVersion } from '../commands/version.ts';
import { runCommandLine } from '../run-command.ts';

declare const MAILROOM_VERSION: string;

/** Runs any command line: of a command, of one that does not exist, or a request for help. */
export async function runAny(
  words: readonly string[],
  { nudgeProgram = `${__dirname}/nudge.cjs` }: { nudgeProgram?: string } = {},
): Promise<void> {
  const commands = createCommands(async (call) => (await import('./run.ts')).carryOut(call));
  const explain = (asked: readonly string[]): Promise<void> => runAny(asked, { nudgeProgram });
  const runLine = (line: readonly string[], find: () => CliCommand): Promise<void> =>
    runCommandLine(line, { find, explain, host: nodeHost, program: `${__dirname}/mailroom.cjs`, nudgeProgram });
  const { name, at, asks } = splitLine(words);
  const help = (): CliCommand => findCommand(commands, 'help', { words, at });
  if (asks === 'version') return runLine(['version'], () => createVersion(MAILROOM_VERSION));
  if (asks === 'help') return runLine(name === undefined ? ['help'] : ['help', name], help);
  // Options without a command are checked, too.
  if (name === undefined) return runLine(['help', ...words], help);
  return runLine(words, () => findCommand(commands, name, { words, at }));
}
