import type { Host } from '../host/host.ts';
import type { Arguments } from './arguments.ts';
import type { CommandSpec } from './command-spec.ts';
import type { Output } from './output.ts';

/** One command: what can be said, how it is explained, what it does. */
export interface Command extends CommandSpec {
  /** Resolves with the exit code. */
  run(call: Call): Promise<number>;
}

/** One command line, and everything the command may touch. */
export interface Call {
  readonly command: Command;
  /** As typed, behind the program's name. */
  readonly words: readonly string[];
  readonly args: Arguments;
  readonly host: Host;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly output: Output;
  readonly isJson: boolean;
  /** Has commands of ours in a text run this very program when they are pasted. */
  readonly pasteable: (text: string) => string;
  /** The file of the command `mailroom`, links followed. */
  readonly program: string;
  /** Where the program lies that nudges in the background. */
  readonly nudgeProgram: string;
}
