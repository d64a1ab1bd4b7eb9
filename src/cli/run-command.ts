import type { Host } from '../host/host.ts';
import { textOption, type Arguments } from './arguments.ts';
import type { CliCommand } from './command.ts';
import { splitLine } from './command-spec.ts';
import { parseLine } from './correct-post.ts';
import { describeError } from './report-error.ts';
import { EXIT_FAILURE, EXIT_OK, exitCodeOf } from './exit-code.ts';
import { inOwnWords, ownCommand } from './own-command.ts';
import { withSandboxAdvice } from './sandbox-advice.ts';
import { createOutput, OutputClosed } from './output.ts';

/** Commands that set up, run or check something. Sending and reading mail prints no warning each time. */
const TOLD_ON_WINDOWS = new Set(['agent', 'doctor', 'hooks', 'init', 'inspect', 'join', 'run']);
const ON_WINDOWS =
  'mailroom: Native Windows is not supported: workflows, jobs, signals, tmux and private keys need a POSIX system; mail may work. Use WSL: https://aka.ms/wsl\n';

/** Finds the command of this name. Throws the error to show if there is none. */
export type FindCommand = (name: string | undefined, words: readonly string[]) => Promise<CliCommand> | CliCommand;

export interface CommandLineOptions {
  readonly find: FindCommand;
  /** Prints what `--help` and `--version` ask for. */
  readonly explain: (words: readonly string[]) => Promise<void>;
  readonly host: Host;
  /** The file of the command `mailroom`, with symbolic links resolved. */
  readonly program: string;
  readonly nudgeProgram: string;
}

/** Runs one command line and sets the exit code of the process. Any failure becomes one clear error on stderr. */
export async function runCommandLine(
  words: readonly string[],
  { find, explain, host, program, nudgeProgram }: CommandLineOptions,
): Promise<void> {
  const { env } = process;
  const cwd = process.cwd();
  let args: Arguments | undefined;
  // Searches PATH, and so runs only for a text that is shown.
  const pasteable = (text: string): string =>
    inOwnWords(text, ownCommand(program, { env, cwd }), {
      as: args && textOption(args, 'as'),
      room: args && textOption(args, 'room'),
    });
  const output = createOutput(host, pasteable);
  // The event loop ran empty before the command finished; exit code 0 would be a lie.
  const neverDone = (): void => {
    process.exitCode = EXIT_FAILURE;
    void output.talk('mailroom: The command did not finish: what it waited for can no longer happen.\n');
  };
  process.once('beforeExit', neverDone);
  try {
    const { name, at } = splitLine(words);
    const command = await find(name, words);
    args = parseLine(command, { words, at });
    if (args.options.has('help')) return await explain(['help', command.name]);
    if (args.options.has('version')) return await explain(['--version']);
    const isJson = args.options.has('json');
    const call = {
      command,
      words,
      args,
      host,
      env,
      cwd,
      output,
      isJson,
      pasteable,
      program,
      nudgeProgram,
    };
    if (process.platform === 'win32' && TOLD_ON_WINDOWS.has(command.name)) await output.talk(ON_WINDOWS);
    process.exitCode = await command.run(call);
  } catch (caught) {
    const room = args && textOption(args, 'room');
    const error = withSandboxAdvice(caught, { host, env, cwd, room });
    if (error instanceof OutputClosed) {
      process.exitCode = EXIT_OK;
      return;
    }
    process.exitCode = exitCodeOf(error);
    const has = (option: string): boolean => args?.options.has(option) ?? isTyped(words, `--${option}`);
    await output.talk(describeError(error, { words, isJson: has('json'), isDebug: has('debug'), pasteable }));
  } finally {
    process.off('beforeExit', neverDone);
  }
}

/** Whether the option is in words that could not be parsed. */
function isTyped(words: readonly string[], option: string): boolean {
  const [end, at] = [words.indexOf('--'), words.indexOf(option)];
  return at >= 0 && (end < 0 || at < end);
}
