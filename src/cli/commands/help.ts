import { InvalidInput } from '../../errors.ts';
import { nearest } from '../../message/nearest.ts';
import type { Command } from '../command.ts';
import { EXIT_OK } from '../exit-code.ts';
import { helpOf, overview } from '../help-text.ts';
import { commandLine } from '../shell-words.ts';

/** The command that explains the others. */
export function createHelp(commands: () => readonly Command[]): Command {
  return {
    name: 'help',
    summary: 'explain all commands, or one',
    operands: [{ name: 'command', optional: true, completes: 'command' }],
    options: [],
    details: `  mailroom help send`,
    run: async ({ args, output }) => {
      const [name] = args.operands;
      await output.data(
        name === undefined ? overview(commands()) : helpOf(findCommand(commands(), name, ['help', name])),
      );
      return EXIT_OK;
    },
  };
}

/** The command with this name. Throws `InvalidInput` with the nearest one, and with `words` corrected by it. */
export function findCommand(commands: readonly Command[], name: string, words: readonly string[]): Command {
  const command = commands.find((one) => one.name === name);
  if (command) return command;
  const near = nearest(
    name,
    commands.map((one) => one.name),
  );
  throw new InvalidInput(`There is no command ${JSON.stringify(name.slice(0, 60))}.`, {
    hint: near ? `Did you mean: ${commandLine(words.with(words.indexOf(name), near))}` : 'See all: mailroom help',
  });
}
