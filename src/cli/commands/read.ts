import type { Agent } from '../../room/agent.ts';
import { WaitTimeout } from '../../errors.ts';
import type { Mail } from '../../room/mail.ts';
import type { Room } from '../../room/room.ts';
import { textOption } from '../arguments.ts';
import type { Call, Command } from '../command.ts';
import { countOption } from '../count-option.ts';
import { parseDuration, WAIT_MS_MAX } from '../duration.ts';
import { EXIT_OK } from '../exit-code.ts';
import { onInterruption } from '../interruption.ts';
import { mailOrPast } from '../mail-or-past.ts';
import { printMail } from '../print-mail.ts';
import { withAgent } from '../with-room.ts';

const LIMIT_DEFAULT = 20;

export const read: Command = {
  name: 'read',
  summary: 'print waiting mail, oldest first, and acknowledge it',
  operands: [{ name: 'id', optional: true }],
  options: [
    { name: 'hold', summary: 'only claim it; acknowledge it later with ack or reply' },
    { name: 'lease', value: 'time', summary: 'how long --hold keeps it from coming back, 10m if not given' },
    { name: 'wait', value: 'time', summary: 'wait so long for at least one message; exit 4 if none came' },
    { name: 'limit', value: 'count', summary: `how many at most, ${LIMIT_DEFAULT} if not given` },
  ],
  details: `What is printed is verified: the sender is who signed it. A message is acknowledged only after it was written to stdout.
What you hold and do not acknowledge comes back when its lease ends, and is given up after five times. With an id it
prints that message, also one that was acknowledged before.

  mailroom read --wait 5m
  mailroom read --hold --lease 30m --limit 1
  mailroom read --json | jq -r '.[].content'`,
  run: (call) => withAgent(call, (agent, room) => readMail(call, agent, room)),
};

async function readMail(call: Call, agent: Agent, room: Room): Promise<number> {
  const { args } = call;
  const [id] = args.operands;
  const hold = args.options.has('hold');
  const lease = textOption(args, 'lease');
  const leaseMs =
    lease === undefined ? undefined : parseDuration(lease, { option: 'lease', msMax: room.config.limits.leaseMsMax });
  if (id !== undefined) {
    const found = await mailOrPast(agent, room, id, leaseMs);
    // What somebody holds already stays held: reading it once more is no acknowledgement.
    return printMail(call, [found], { hold: hold || found.wasHeld });
  }
  const limit = countOption(args, 'limit') ?? LIMIT_DEFAULT;
  const wait = textOption(args, 'wait');
  const waitMs = wait === undefined ? 0 : parseDuration(wait, { option: 'wait', msMax: WAIT_MS_MAX });
  const mails = await take(agent, { limit, leaseMs });
  if (mails.length === 0 && wait !== undefined) {
    using interruption = onInterruption();
    const first = await waitForOne(call, agent, { waitMs, leaseMs, signal: interruption.signal });
    if (first) mails.push(first, ...(await take(agent, { limit: limit - 1, leaseMs })));
    else if (interruption.exitCode !== undefined) return interruption.exitCode;
    else {
      throw new WaitTimeout(`No mail came for ${agent.address} within ${wait}.`, {
        hint: `To go on waiting: mailroom read --wait ${wait}`,
      });
    }
  }
  if (mails.length === 0 && !call.isJson) await call.output.talk(`No mail for ${agent.address}.\n`);
  const inOrder = mails.sort((a, b) => (a.message.id < b.message.id ? -1 : 1));
  const code = await printMail(
    call,
    inOrder.map((mail) => ({ message: mail.message, mail })),
    { hold },
  );
  return code === EXIT_OK ? tellMore(call, agent, { isFull: mails.length === limit }) : code;
}

async function tellMore(call: Call, agent: Agent, { isFull }: { isFull: boolean }): Promise<number> {
  const more = isFull ? agent.list({ limit: 0 }).more : 0;
  if (more > 0) await call.output.advise(`There is more mail. Read on with: mailroom read\n`);
  return EXIT_OK;
}

/** Claims what waits, at most `limit`. */
async function take(agent: Agent, { limit, leaseMs }: { limit: number; leaseMs: number | undefined }): Promise<Mail[]> {
  const mails: Mail[] = [];
  if (limit < 1) return mails;
  for await (const mail of agent.inbox({ wait: false, leaseMs })) {
    mails.push(mail);
    if (mails.length === limit) break;
  }
  return mails;
}

/** The next message, or undefined when the time is over or the signal aborted. */
async function waitForOne(
  { host }: Call,
  agent: Agent,
  { waitMs, leaseMs, signal }: { waitMs: number; leaseMs: number | undefined; signal: AbortSignal },
): Promise<Mail | undefined> {
  const end = new AbortController();
  const stop = (): void => end.abort();
  signal.addEventListener('abort', stop, { once: true });
  const over = host.clock.sleep(waitMs, end.signal).then(stop);
  try {
    for await (const mail of agent.inbox({ signal: end.signal, leaseMs })) return mail;
    return undefined;
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
    await over;
  }
}
