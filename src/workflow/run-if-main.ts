import { mainProgram } from '../host/main-program.ts';

interface CommandLine {
  runAny(words: readonly string[]): Promise<void>;
}

/** The command line, by a package name that resolves wherever this package is installed. */
const COMMAND_LINE: string = 'agent-mailroom/cli';

/**
 * Makes a machine's file a program: `runIfMain(import.meta.url)` at its end, and `node --import tsx ship.ts --input …`
 * does what `mailroom run ship.ts --input …` does. Where the file is imported it does nothing.
 */
export function runIfMain(moduleUrl: string): void {
  const file = mainProgram(moduleUrl);
  if (file === undefined) return;
  const words = ['run', file, ...process.argv.slice(2)];
  void import(COMMAND_LINE).then((loaded) => (loaded as CommandLine).runAny(words));
}
