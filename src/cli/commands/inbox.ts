import { WaitTimeout } from '../../errors.ts';
import type { EarlyMail } from '../../mailbox/early.ts';
import type { InboxListing, Unsettled } from '../../mailbox/status.ts';
import { formatTime } from '../../message/format-time.ts';
import { timeOfId } from '../../message/message-id.ts';
import type { Agent } from '../../room/agent.ts';
import { contextOf, type Room } from '../../room/room.ts';
import { waitForUnread } from '../../room/wait-for-unread.ts';
import { textOption } from '../arguments.ts';
import { countOption, formatDuration, parseDuration, WAIT_MS_MAX } from '../option-values.ts';
import type { Call, CliCommand } from '../command.ts';
import { EXIT_OK } from '../exit-code.ts';
import {
  alignColumns,
  fittedList,
  headersJson,
  linesWithin,
  MAX_BYTES_OPTION,
  maxBytesOf,
  preview,
  shortId,
} from '../print/mail.ts';
import { onInterruption } from '../interruption.ts';
import { withAgent } from '../with-room.ts';

const LIMIT_DEFAULT = 100;

export const inbox: CliCommand = {
  name: 'inbox',
  summary: 'list your waiting and claimed mail without claiming any of it',
  operands: [],
  options: [
    { name: 'limit', value: 'count', summary: `most messages to list; default ${LIMIT_DEFAULT}` },
    {
      name: 'wait',
      value: 'time',
      summary: 'wait this long for unclaimed mail and list it; exit 4 if none came',
    },
    { name: 'headers', summary: 'only sender, type and id: nothing that a sender could write freely' },
    MAX_BYTES_OPTION,
  ],
  details: `One line per message, oldest first: id, age, state, sender, type, the beginning of its text. Only verified mail is listed:
the sender is who signed it. Claimed means that one of your commands holds it (read --hold, reply). A message whose id is
far ahead of this machine's clock waits for its time, and does not count as unread until then.

  mailroom inbox
  mailroom inbox --wait 10m --headers
  mailroom inbox --json | jq -r '.[] | select(.type == "QUESTION") | .content'

With --json each message is as with read, plus its "state" (delivered, claimed or released), "attempt" and
"leaseEndsAt"; with --headers it has these and "id", "from", "type" and "verified". If not all of them fit into
--max-bytes, some have "isCut": true and no "content" or "data". Mail whose time has not come has the "state" early.`,
  run: (call) => withAgent(call, (agent, room) => listMail(call, agent, room)),
};

async function listMail(call: Call, agent: Agent, room: Room): Promise<number> {
  const { args, output, isJson } = call;
  const limit = countOption(args, 'limit') ?? LIMIT_DEFAULT;
  const bytesMax = maxBytesOf(args);
  const peeked = await look(call, agent, room, limit);
  if (typeof peeked === 'number') return peeked;
  const { unsettled, unfit, early } = peeked;
  const listed = isJson ? await printJson(call, peeked, bytesMax) : await printRows(call, peeked, bytesMax);
  if (unsettled.length === 0 && !isJson) await output.talk(`No mail for ${agent.address}.\n`);
  const left = unsettled.length - listed;
  const more = peeked.more + left;
  if (more > 0) {
    const bound = left > 0 ? ' --max-bytes 1000000' : '';
    await output.advise(`${more} more. See them with: mailroom inbox --limit ${listed + more}${bound}\n`);
  }
  if (unfit > 0) await tellUnfit(call, unfit);
  if (early.length > 0) await tellEarly(call, early.length);
  return EXIT_OK;
}

/** Lists the mail; with --wait the unclaimed mail, as soon as there is any. Returns an exit code if a signal came first. */
async function look(call: Call, agent: Agent, room: Room, limit: number): Promise<InboxListing | number> {
  const wait = textOption(call.args, 'wait');
  if (wait === undefined) return agent.list({ limit });
  const waitMs = parseDuration(wait, { option: 'wait', msMax: WAIT_MS_MAX });
  using interruption = onInterruption();
  const end = new AbortController();
  const over = call.host.clock.sleep(waitMs, end.signal).then(() => end.abort());
  try {
    const signal = AbortSignal.any([interruption.signal, end.signal]);
    const found = await waitForUnread(contextOf(room), agent, { limit, signal });
    if (found) return found;
  } finally {
    end.abort();
    await over;
  }
  if (interruption.exitCode !== undefined) return interruption.exitCode;
  throw new WaitTimeout(`No mail came for ${agent.address} within ${wait}.`, {
    hint: `To keep waiting: mailroom inbox --wait ${wait}`,
  });
}

/** Returns how many messages it printed, early ones not counted. */
async function printJson(
  { args, output }: Call,
  { unsettled, early }: InboxListing,
  bytesMax: number,
): Promise<number> {
  const facts = ({ state, attempt, untilMs }: Unsettled): object => ({
    state,
    attempt,
    ...(untilMs > 0 ? { leaseEndsAt: new Date(untilMs).toISOString() } : {}),
  });
  const all = unsettled.map((one) => ({ message: one.message, facts: facts(one) }));
  const listed = args.options.has('headers')
    ? all.map(({ message, facts: said }) => ({ ...headersJson(message), ...said }))
    : fittedList(all, bytesMax);
  await output.json([...listed, ...early.map(earlyJson)]);
  return listed.length;
}

async function printRows(
  { args, output, host }: Call,
  { unsettled, early }: InboxListing,
  bytesMax: number,
): Promise<number> {
  const nowMs = host.clock.now();
  const isHeaders = args.options.has('headers');
  const rows = unsettled.map((one) => asRow(one, { nowMs, isHeaders }));
  const lines = linesWithin(alignColumns([...rows, ...early.map(earlyRow)]), bytesMax);
  await output.data(lines.join(''));
  return Math.min(lines.length, rows.length);
}

function asRow(
  { message, state, attempt, untilMs }: Unsettled,
  { nowMs, isHeaders }: { nowMs: number; isHeaders: boolean },
): string[] {
  const { id, from, type, content, sentAt } = message;
  const age = formatDuration(nowMs - Date.parse(sentAt));
  const claimed = attempt === 0 ? 'shown in part' : 'claimed';
  const lies = state === 'claimed' ? `${claimed}, ${formatDuration(untilMs - nowMs)} left` : 'waiting';
  return [shortId(id), age, lies, from, type, isHeaders ? 'verified' : preview(content)];
}

function earlyJson({ id, from, readableFromMs }: EarlyMail): unknown {
  return { id, from, sentAt: isoOf(timeOfId(id)), state: 'early', readableFrom: isoOf(readableFromMs) };
}

function earlyRow({ id, from, readableFromMs }: EarlyMail): string[] {
  return [shortId(id), '-', `waits until ${formatTime(readableFromMs)}`, from];
}

function isoOf(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

async function tellEarly({ output }: Call, early: number): Promise<void> {
  const are = early === 1 ? '1 message is' : `${early} messages are`;
  await output.talk(`${are} dated far ahead of this machine's clock. Compare the clock with the right time: date -u\n`);
}

async function tellUnfit({ output }: Call, unfit: number): Promise<void> {
  const files = unfit === 1 ? '1 file is' : `${unfit} files are`;
  await output.talk(`${files} not listed: expired or not verifiable. The next read makes them dead letters.\n`);
}
