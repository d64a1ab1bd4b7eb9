import { visible } from '../../message/visible.ts';
import type { Room } from '../../room/room.ts';
import { watchRoom, type Seen } from '../../room/watch-room.ts';
import { countOption } from '../count-option.ts';
import type { Call, Command } from '../command.ts';
import { EXIT_OK } from '../exit-code.ts';
import { identityOf } from '../identity.ts';
import { onInterruption } from '../interruption.ts';
import { headerLine, messageJson, preview } from '../show-message.ts';
import { withRoom } from '../with-room.ts';

export const watch: Command = {
  name: 'watch',
  summary: 'print a line for each message as it arrives, claiming none',
  operands: [],
  options: [
    { name: 'all', summary: 'mail of the whole room, not only yours' },
    { name: 'limit', value: 'count', summary: 'end after so many lines' },
  ],
  details: `It begins with what waits already. It ends with Ctrl-C (exit 130). With --json each line is one message.

  mailroom watch
  mailroom watch --all --json`,
  run: (call) => withRoom(call, (room) => follow(call, room)),
};

async function follow(call: Call, room: Room): Promise<number> {
  const all = call.args.options.has('all');
  const address = all ? undefined : identityOf(call, room).address;
  // Throws for a name that nobody has joined under.
  if (address !== undefined) room.agent(address);
  const limit = countOption(call.args, 'limit') ?? Infinity;
  using interruption = onInterruption();
  let printed = 0;
  for await (const seen of watchRoom(room.context, { address, signal: interruption.signal })) {
    await print(call, seen, { all });
    printed += 1;
    if (printed === limit) return EXIT_OK;
  }
  return interruption.exitCode ?? EXIT_OK;
}

async function print(
  { isJson, output, host }: Call,
  { message, recipient }: Seen,
  { all }: { all: boolean },
): Promise<void> {
  if (isJson) return output.json({ ...messageJson(message), recipient });
  const to = all ? `${recipient}  ` : '';
  const header = headerLine(message, { nowMs: host.clock.now() });
  await output.data(`${visible(to)}${header}  ${preview(message.content)}\n`);
}
