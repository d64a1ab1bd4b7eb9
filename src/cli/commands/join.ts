import { isatty } from 'node:tty';
import { currentPane } from '../../room/nudge.ts';
import { textOption } from '../arguments.ts';
import type { CliCommand } from '../command.ts';
import { listOption } from '../option-values.ts';
import { EXIT_OK } from '../exit-code.ts';
import { withRoom } from '../with-room.ts';

const STDOUT = 1;

export const join: CliCommand = {
  name: 'join',
  summary: 'join the room under an address of your choice',
  operands: [{ name: 'address' }],
  options: [
    { name: 'program', value: 'name', summary: 'what you are: claude, codex, a script …' },
    { name: 'skills', value: 'a,b', summary: 'what you are good at, for others to read' },
    { name: 'accepts', value: 'T1,T2', summary: 'message types you understand besides the common ones' },
    { name: 'take-over', summary: 'take the address over from the live agent or the workflow that has it' },
  ],
  details: `It prints one line for the shell, which sets who you are from then on:

  eval "$(mailroom join alice)"
  mailroom join reviewer --program claude --skills typescript,security --accepts REVIEW-FEEDBACK

If your commands do not share a shell, give the address each time: mailroom --as alice read. In a tmux pane, join records
the pane. When mail comes, its window gets a bell and its status line a message; no key is pressed. An address is made of
a-z, 0-9, _ and -, in parts joined with a dot. It stays yours while the terminal's session runs; joining it from another
session is a conflict (exit 6).`,
  run: (call) =>
    withRoom(call, async (room) => {
      const { args, host, env, output, isJson } = call;
      const [address = ''] = args.operands;
      await room.join(address, {
        program: textOption(args, 'program'),
        skills: listOption(textOption(args, 'skills')),
        accepts: listOption(textOption(args, 'accepts')),
        process: host.processes.sessionLeader(),
        tmux: await currentPane(host, env),
        takeOver: args.options.has('take-over'),
      });
      const line = `export MAILROOM_AS=${address}`;
      if (isJson) await output.report({ json: { address, room: room.directory, export: line } });
      else await output.report({ text: `${line}\n` });
      // On a terminal no shell has evaluated the line yet.
      const more = isatty(STDOUT) && !isJson ? ` Set it in your shell too: eval "$(mailroom join ${address})"` : '';
      await output.advise(`You have joined as ${address}.${more}\n`);
      return EXIT_OK;
    }),
};
