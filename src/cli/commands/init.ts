import { initRoom } from '../../room/init-room.ts';
import { textOption } from '../arguments.ts';
import type { Command } from '../command.ts';
import { EXIT_OK } from '../exit-code.ts';
import { visible } from '../../message/visible.ts';

export const init: Command = {
  name: 'init',
  summary: 'make a room in this directory',
  operands: [],
  options: [
    {
      name: 'algorithm',
      value: 'name',
      choices: ['hmac-sha256', 'ed25519'],
      summary: 'hmac-sha256 (default): one secret for all; ed25519: a key pair for each agent',
    },
  ],
  details: `The room is the directory .mailroom; it ignores itself in git. Commands find it from any directory below and from every git
worktree of the same repository. Making it once more completes it and changes nothing.

  mailroom init
  mailroom init --algorithm ed25519 --room /srv/team/.mailroom`,
  run: async ({ args, env, cwd, host, output, isJson }) => {
    const directory = textOption(args, 'room') ?? (env['MAILROOM_DIR'] || undefined);
    const algorithm = textOption(args, 'algorithm') as 'hmac-sha256' | 'ed25519' | undefined;
    const made = await initRoom({ directory, algorithm, cwd, host });
    if (isJson) await output.report({ json: made });
    else await output.report({ text: `${visible(made.directory)}\n` });
    await output.advise(
      made.created
        ? 'The room is there. Each agent joins it in its own shell: eval "$(mailroom join <address>)"\n'
        : 'The room was there already; nothing was changed.\n',
    );
    return EXIT_OK;
  },
};
