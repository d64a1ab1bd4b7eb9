import { EXIT_OK } from '../exit-code.ts';
import type { CliCommand } from '../command.ts';

/** `hook`, for the help only: a script of its own runs the command, because it has to start fast. */
export const hook: CliCommand = {
  name: 'hook',
  summary: 'called by programs at each turn; mailroom hooks add sets it up',
  operands: [{ name: 'program' }, { name: 'event' }],
  options: [],
  details: `It reads the event as JSON on stdin and answers in the program's own format: it joins when a session starts, shows new
mail in the running turn, and acknowledges shown mail once the model has run after it. It never stops the program: on any
fault it exits 0, prints nothing on stdout, and writes the fault to the log (mailroom log).`,
  run: async ({ args, output }) => {
    await output.talk(`mailroom: hook ${args.operands.join(' ')} did nothing: programs call it without any option.\n`);
    return EXIT_OK;
  },
};
