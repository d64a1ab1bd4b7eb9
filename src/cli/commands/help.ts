import { InvalidInput } from '../../errors.ts';
import { echo } from '../../message/cut.ts';
import { nearest } from '../../message/nearest.ts';
import type { Command } from '../command.ts';
import { COMMON_OPTIONS } from '../command-spec.ts';
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
    run: async ({ args, output, pasteable }) => {
      const [name] = args.operands;
      await output.data(
        name === undefined ? overview(commands()) : helpOf(findCommand(commands(), name, ['help', name])),
      );
      const here = pasteable('mailroom help');
      if (here !== 'mailroom help') await output.data(`\nThis shell does not find it as mailroom; it is: ${here}\n`);
      return EXIT_OK;
    },
  };
}

/** The command with this name. Throws `InvalidInput` with the nearest one, and with `words` corrected by it. */
export function findCommand(commands: readonly Command[], name: string, words: readonly string[]): Command {
  const command = commands.find((one) => one.name === name);
  if (command) return command;
  const mistyped = words.slice(0, words.indexOf(name)).find((word) => /^--?[a-z]/i.test(word) && !isCommon(word));
  if (mistyped !== undefined) throw noCommonOption(mistyped);
  const near = nearest(
    name,
    commands.map((one) => one.name),
  );
  throw new InvalidInput(`There is no command ${echo(name)}.`, {
    hint: near ? `Did you mean: ${commandLine(words.with(words.indexOf(name), near))}` : 'See all: mailroom help',
  });
}

function isCommon(word: string): boolean {
  return word === '-h' || COMMON_OPTIONS.some(({ name }) => word.split('=')[0] === `--${name}`);
}

/** What stands behind it was taken for the command, and may be its value. */
function noCommonOption(word: string): InvalidInput {
  const near = nearest(
    word.replace(/^--?/, '').split('=')[0] ?? '',
    COMMON_OPTIONS.map(({ name }) => name),
  );
  return new InvalidInput(`No option ${echo(word)} may stand before a command.`, {
    hint: `${near ? `Did you mean --${near}? ` : ''}The options of a command stand behind its name: mailroom help`,
  });
}
