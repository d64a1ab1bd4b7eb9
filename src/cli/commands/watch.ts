import { visible } from '../../message/visible.ts';
import { contextOf, type Room } from '../../room/room.ts';
import { watchRoom, type Seen } from '../../room/watch-room.ts';
import { countOption } from '../option-values.ts';
import type { Call, CliCommand } from '../command.ts';
import { EXIT_OK } from '../exit-code.ts';
import { fittedJson, headerLine, headersJson, MAX_BYTES_OPTION, maxBytesOf, preview, shortId } from '../print/mail.ts';
import { identityOf } from '../identity.ts';
import { onInterruption } from '../interruption.ts';
import { withRoom } from '../with-room.ts';

export const watch: CliCommand = {
  name: 'watch',
  summary: 'print a line per message as it arrives; claims none',
  operands: [],
  options: [
    { name: 'all', summary: 'mail of the whole room, not only yours' },
    { name: 'limit', value: 'count', summary: 'exit after this many lines' },
    { name: 'headers', summary: 'only sender, type and id: nothing that a sender could write freely' },
    { ...MAX_BYTES_OPTION, summary: MAX_BYTES_OPTION.summary.replace('to print', 'to print of each message') },
  ],
  details: `It starts with the mail that already waits, and ends with Ctrl-C (exit 130). Only verified mail is shown: the sender is
who signed it. With --json each line is one message, as with read, plus its "recipient"; with --headers only "id", "from",
"type", "verified" and "recipient".

  mailroom watch
  mailroom watch --headers
  mailroom watch --all --json`,
  run: (call) => withRoom(call, (room) => follow(call, room)),
};

async function follow(call: Call, room: Room): Promise<number> {
  const all = call.args.options.has('all');
  const address = all ? undefined : identityOf(call, room).address;
  // Throws for an address under which nobody has joined.
  if (address !== undefined) room.agent(address);
  const limit = countOption(call.args, 'limit') ?? Infinity;
  const bytesMax = maxBytesOf(call.args);
  using interruption = onInterruption();
  let printed = 0;
  for await (const seen of watchRoom(contextOf(room), { address, signal: interruption.signal })) {
    await print(call, seen, { all, bytesMax });
    printed += 1;
    if (printed === limit) return EXIT_OK;
  }
  return interruption.exitCode ?? EXIT_OK;
}

async function print(
  { args, isJson, output, host }: Call,
  { message, recipient }: Seen,
  { all, bytesMax }: { all: boolean; bytesMax: number },
): Promise<void> {
  const isHeaders = args.options.has('headers');
  if (isJson) {
    const shown = isHeaders
      ? { ...headersJson(message), recipient }
      : fittedJson(message, { recipient }, bytesMax).shown;
    return output.json(shown);
  }
  const to = all ? `${recipient}  ` : '';
  if (isHeaders) {
    const { from, type, id } = message;
    return output.data(`${visible(`${to}From ${from}  ${type}  id ${shortId(id)}  verified`)}\n`);
  }
  const header = headerLine(message, { nowMs: host.clock.now() });
  await output.data(`${visible(to)}${header}  ${preview(message.content)}\n`);
}
