import { InvalidInput, WaitTimeout } from '../../errors.ts';
import { namesInPart } from '../../mailbox/claim.ts';
import { parseMessageFileName } from '../../message/layout.ts';
import type { Agent } from '../../room/agent.ts';
import { mailboxOf } from '../../room/context.ts';
import { contextOf, type Room } from '../../room/room.ts';
import { withRoomErrors } from '../../room/system-errors.ts';
import { textOption } from '../arguments.ts';
import type { Call, CliCommand } from '../command.ts';
import { countOption, parseDuration, WAIT_MS_MAX } from '../option-values.ts';
import { EXIT_FAILURE } from '../exit-code.ts';
import { fit, MAX_BYTES_OPTION, maxBytesOf, printMail, shortId } from '../print/mail.ts';
import { onInterruption } from '../interruption.ts';
import { claimOrReadAcknowledged } from '../own-mail.ts';
import { createPortion } from '../take-portion.ts';
import { withAgent } from '../with-room.ts';

const LIMIT_DEFAULT = 20;
/** At most this many ids are listed. */
const IN_PART_TOLD_MAX = 5;

export const read: CliCommand = {
  name: 'read',
  summary: 'print waiting mail, oldest first, and acknowledge it',
  operands: [{ name: 'id', optional: true }],
  options: [
    { name: 'hold', summary: 'only claim it; acknowledge it later with ack or reply' },
    { name: 'lease', value: 'time', summary: 'how long --hold keeps it from coming back; default 10m' },
    { name: 'wait', value: 'time', summary: 'wait this long for at least one message; exit 4 if none came' },
    { name: 'limit', value: 'count', summary: `most messages to print; default ${LIMIT_DEFAULT}` },
    MAX_BYTES_OPTION,
    { name: 'all', summary: 'print the whole message, however large' },
  ],
  details: `What is printed is verified: the sender is who signed it. A message is acknowledged only after it was written to stdout.
A message that you hold and do not acknowledge comes back when its lease ends, and is given up after five times. With an
id it prints that message, even one that was acknowledged before.

What does not fit into --max-bytes waits for the next read. A message larger than --max-bytes is printed in part and stays
claimed by you; later reads skip it until you read it with --all, which acknowledges it, or acknowledge or release it.
With --json it has "isCut": true and no "content", and no "data" if that is too large.

  mailroom read --wait 5m
  mailroom read --hold --lease 30m --limit 1
  mailroom read 1a2b3c4d --all
  mailroom read --json | jq -r '.[].content'`,
  run: (call) => withAgent(call, (agent, room) => readMail(call, agent, room)),
};

async function readMail(call: Call, agent: Agent, room: Room): Promise<number> {
  const { args, output } = call;
  const [id] = args.operands;
  const all = args.options.has('all');
  if (all) assertOne(args);
  const lease = textOption(args, 'lease');
  const leaseMs =
    lease === undefined ? undefined : parseDuration(lease, { option: 'lease', msMax: room.config.limits.leaseMsMax });
  const bounds = { bytesMax: all ? Infinity : maxBytesOf(args), leaseMs };
  if (!output.isThere()) {
    await output.talk('There is no standard output to print to; nothing was read and nothing was claimed.\n');
    return EXIT_FAILURE;
  }
  return id === undefined ? readNext(call, agent, room, bounds) : readOne(call, agent, room, { ...bounds, id });
}

function assertOne({ operands, options }: Call['args']): void {
  const [id] = operands;
  if (id === undefined) {
    throw new InvalidInput('--all requires the id of one message.', {
      hint: 'Give its id, or raise the limit for all waiting mail: mailroom read --max-bytes 1000000',
    });
  }
  if (!options.has(MAX_BYTES_OPTION.name)) return;
  throw new InvalidInput('--all and --max-bytes exclude each other.', {
    hint: `Omit one of them: mailroom read ${id} --all`,
  });
}

interface Bounds {
  readonly bytesMax: number;
  readonly leaseMs: number | undefined;
}

async function readOne(call: Call, agent: Agent, room: Room, options: Bounds & { id: string }): Promise<number> {
  const { message, mail, wasHeld } = await claimOrReadAcknowledged(agent, room, options.id, options.leaseMs);
  const fitted = fit(call, { message, mail, bytesMax: options.bytesMax });
  // Reading a message again that was already held does not acknowledge it, unless it was held because it was shown in part.
  const isHeld = call.args.options.has('hold') || (wasHeld && mail?.attempt !== 0);
  return printMail(call, [{ message, mail, fitted, isHeld, isOwn: !wasHeld }]);
}

async function readNext(call: Call, agent: Agent, room: Room, { bytesMax, leaseMs }: Bounds): Promise<number> {
  const { args, output } = call;
  const limit = countOption(args, 'limit') ?? LIMIT_DEFAULT;
  const wait = textOption(args, 'wait');
  const waitMs = wait === undefined ? 0 : parseDuration(wait, { option: 'wait', msMax: WAIT_MS_MAX });
  await tellInPart(call, agent, room);
  const portion = createPortion(call, { agent, room, limit, bytesMax, leaseMs });
  await portion.take();
  if (portion.printed.length === 0 && wait !== undefined) {
    using interruption = onInterruption();
    await portion.waitForOne(waitMs, interruption.signal);
    if (portion.printed.length === 0) {
      if (interruption.exitCode !== undefined) return interruption.exitCode;
      throw new WaitTimeout(`No mail came for ${agent.address} within ${wait}.`, {
        hint: `To keep waiting: mailroom read --wait ${wait}`,
      });
    }
    await portion.take();
  }
  if (portion.printed.length === 0 && !call.isJson) await output.talk(`No mail for ${agent.address}.\n`);
  const code = await printMail(call, portion.printed);
  if (portion.isFull() && agent.list({ limit: 1, unread: true }).unsettled.length > 0) {
    await output.advise('There is more mail. To read on: mailroom read\n');
  }
  portion.assertComplete();
  return code;
}

/** Reading goes past what was shown in part, and says so. */
async function tellInPart({ output }: Call, { address }: Agent, room: Room): Promise<void> {
  const context = contextOf(room);
  const mailbox = mailboxOf(context, address);
  const names = mailbox
    ? withRoomErrors(context, `The mailbox of ${address} was not read`, () => namesInPart(mailbox))
    : [];
  const ids = names.map((name) => shortId(parseMessageFileName(name)?.id ?? name));
  const [first] = ids;
  if (first === undefined) return;
  const more = ids.length > IN_PART_TOLD_MAX ? ` and ${ids.length - IN_PART_TOLD_MAX} more` : '';
  const shown = `${ids.slice(0, IN_PART_TOLD_MAX).join(' ')}${more}`;
  await output.advise(`Shown in part and still claimed by you: ${shown}. All of it: mailroom read ${first} --all\n`);
}
