import { EXIT_OK } from '../exit-code.ts';
import type { Command } from '../command.ts';

/** `hook`, for the help: the command line is carried out by a script of its own, which has to start fast. */
export const hook: Command = {
  name: 'hook',
  summary: 'called by programs at each turn; mailroom hooks add sets it up',
  operands: [{ name: 'program' }, { name: 'event' }],
  options: [],
  details: `It reads the event as JSON on stdin and answers in the program's own form: it joins when a session starts, shows new mail
in the running turn, and acknowledges what was shown once the model has run since. It never stops the program: whatever
goes wrong, it exits 0, prints nothing on stdout, and writes the fault to the log (mailroom log).`,
  run: async ({ args, output }) => {
    await output.talk(`mailroom: hook ${args.operands.join(' ')} did nothing: programs call it without any option.\n`);
    return EXIT_OK;
  },
};
