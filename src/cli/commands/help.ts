import { InvalidInput } from '../../errors.ts';
import { echo } from '../../message/cut.ts';
import { nearest } from '../../message/nearest.ts';
import type { Call, CliCommand } from '../command.ts';
import { COMMON_OPTIONS } from '../command-spec.ts';
import type { Line } from '../correct-post.ts';
import { EXIT_OK } from '../exit-code.ts';
import { guessOf } from '../guesses.ts';
import { helpOf, overview } from '../help-text.ts';

/** The command `help`; `commands` returns the table of all commands. */
export function createHelp(commands: () => readonly CliCommand[]): CliCommand {
  return {
    name: 'help',
    summary: 'explain all commands, or one',
    operands: [{ name: 'command', optional: true, completes: 'command' }],
    options: [],
    details: `  mailroom help send`,
    run: async (call) => {
      const [name] = call.args.operands;
      if (name === undefined) return printOverview(call, overview(commands()));
      await call.output.data(helpOf(findCommand(commands(), name, { words: ['help', name], at: 1 })));
      return tellName(call);
    },
  };
}

/** Prints the overview of all commands. */
export async function printOverview(call: Call, text: string): Promise<number> {
  await call.output.data(text);
  return tellName(call);
}

/** Prints how to call the command from this shell, if its name does not find it. */
async function tellName({ output, pasteable }: Call): Promise<number> {
  const here = pasteable('mailroom help');
  if (here !== 'mailroom help')
    await output.data(`\nThis shell does not find it by the name mailroom. Call it by: ${here}\n`);
  return EXIT_OK;
}

/** The command with this name. Throws `InvalidInput` with the line that was probably meant. */
export function findCommand(commands: readonly CliCommand[], name: string, line: Line): CliCommand {
  const command = commands.find((one) => one.name === name);
  if (command) return command;
  const before = line.words.slice(0, line.at);
  const mistyped = before.find((word) => /^--?[a-z]/i.test(word) && !isCommon(word));
  if (mistyped !== undefined) throw noCommonOption(mistyped);
  const hint = guessOf(commands, line) ?? 'See all: mailroom help';
  throw new InvalidInput(`There is no command ${echo(name)}.`, { hint });
}

function isCommon(word: string): boolean {
  return word === '-h' || COMMON_OPTIONS.some(({ name }) => word.split('=')[0] === `--${name}`);
}

/** The word after it was taken for the command, but may be the option's value. */
function noCommonOption(word: string): InvalidInput {
  const near = nearest(
    word.replace(/^--?/, '').split('=')[0] ?? '',
    COMMON_OPTIONS.map(({ name }) => name),
  );
  return new InvalidInput(`No option ${echo(word)} may stand before a command.`, {
    hint: `${near ? `Did you mean --${near}? ` : ''}A command's own options follow its name: mailroom help`,
  });
}
