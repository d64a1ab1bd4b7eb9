import type { Host } from '../host/host.ts';
import type { Arguments } from './arguments.ts';
import type { CommandSpec } from './command-spec.ts';
import type { Output } from './output.ts';

/** One command: its syntax, its help and what it does. */
export interface CliCommand extends CommandSpec {
  /** Resolves with the exit code. */
  run(call: Call): Promise<number>;
}

/** One command line, and everything the command may touch. */
export interface Call {
  readonly command: CliCommand;
  /** As typed, without the program's name. */
  readonly words: readonly string[];
  readonly args: Arguments;
  readonly host: Host;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly output: Output;
  readonly isJson: boolean;
  /** Rewrites the `mailroom` commands in a text so that they run this same program when pasted. */
  readonly pasteable: (text: string) => string;
  /** The file of the command `mailroom`, with symbolic links resolved. */
  readonly program: string;
  /** The file of the program that nudges in the background. */
  readonly nudgeProgram: string;
}
