import type { CliCommand } from '../command.ts';
import { EXIT_OK } from '../exit-code.ts';
import { identityOf } from '../identity.ts';
import { withRoom } from '../with-room.ts';

export const whoami: CliCommand = {
  name: 'whoami',
  summary: 'print your address',
  operands: [],
  options: [],
  details: `Your address is --as, else MAILROOM_AS, else that of the agent that joined from this tmux pane.`,
  run: (call) =>
    withRoom(call, async (room) => {
      const { address, source } = identityOf(call, room);
      // Throws for an address under which nobody has joined.
      room.agent(address);
      if (call.isJson) await call.output.json({ address, source, room: room.directory });
      else await call.output.data(`${address}\n`);
      return EXIT_OK;
    }),
};
