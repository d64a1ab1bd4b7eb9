import { mainProgram } from '../host/main-program.ts';

interface CommandLine {
  runAny(words: readonly string[]): Promise<void>;
}

/** The command line, by a package name that resolves wherever this package is installed. */
const COMMAND_LINE: string = 'agent-mailroom/cli';

/**
 * Makes the file of a machine a program: `node --import tsx ship.ts --input …` then does the same as
 * `mailroom run ship.ts --input …`. Does nothing where the file is imported.
 *
 * @example
 * ```ts
 * import { runIfMain } from 'agent-mailroom/workflow';
 * import { setup } from 'xstate';
 *
 * export const machine = setup({}).createMachine({ id: 'ship', initial: 'done', states: { done: { type: 'final' } } });
 *
 * runIfMain(import.meta.url);
 * ```
 */
export function runIfMain(moduleUrl: string): void {
  const file = mainProgram(moduleUrl);
  if (file === undefined) return;
  const words = ['run', file, ...process.argv.slice(2)];
  void import(COMMAND_LINE).then((loaded) => (loaded as CommandLine).runAny(words));
}
