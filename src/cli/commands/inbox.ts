import type { EarlyMail } from '../../mailbox/early.ts';
import type { Unsettled } from '../../mailbox/peek.ts';
import { timeOfId } from '../../message/message-id.ts';
import { countOption } from '../count-option.ts';
import type { Call, Command } from '../command.ts';
import { formatDuration } from '../duration.ts';
import { EXIT_OK } from '../exit-code.ts';
import { alignColumns, messageJson, preview, shortId } from '../show-message.ts';
import { withAgent } from '../with-room.ts';

const LIMIT_DEFAULT = 100;

export const inbox: Command = {
  name: 'inbox',
  summary: 'list your waiting and claimed mail without claiming any of it',
  operands: [],
  options: [{ name: 'limit', value: 'count', summary: `how many at most, ${LIMIT_DEFAULT} if not given` }],
  details: `One line for each message, oldest first: id, age, state, sender, type, the beginning of its text. Only what is verified is
listed. Claimed means that one of your commands holds it (read --hold, reply). A message whose id is far ahead of this
machine's clock waits for its time, and is no unread mail until then ("state": "early" in --json, without a text).

  mailroom inbox
  mailroom inbox --json | jq -r '.[] | select(.type == "QUESTION") | .content'`,
  run: (call) =>
    withAgent(call, async (agent) => {
      const limit = countOption(call.args, 'limit') ?? LIMIT_DEFAULT;
      const { unsettled, more, unfit, early } = agent.list({ limit });
      const nowMs = call.host.clock.now();
      if (call.isJson) await call.output.json([...unsettled.map(asJson), ...early.map(earlyJson)]);
      else await call.output.data(alignColumns([...unsettled.map((one) => asRow(one, nowMs)), ...early.map(earlyRow)]));
      if (unsettled.length === 0 && !call.isJson) await call.output.talk(`No mail for ${agent.address}.\n`);
      if (more > 0) await call.output.advise(`${more} more. See them with: mailroom inbox --limit ${limit + more}\n`);
      if (unfit > 0) await tellUnfit(call, unfit);
      if (early.length > 0) await tellEarly(call, early.length);
      return EXIT_OK;
    }),
};

function asJson({ message, state, attempt, untilMs }: Unsettled): unknown {
  const lease = untilMs > 0 ? { leaseEndsAt: new Date(untilMs).toISOString() } : {};
  return { ...messageJson(message), state, attempt, ...lease };
}

function asRow({ message, state, untilMs }: Unsettled, nowMs: number): string[] {
  const { id, from, type, content, sentAt } = message;
  const age = formatDuration(nowMs - Date.parse(sentAt));
  const lies = state === 'claimed' ? `claimed, ${formatDuration(untilMs - nowMs)} left` : 'waiting';
  return [shortId(id), age, lies, from, type, preview(content)];
}

function earlyJson({ id, from, readableFromMs }: EarlyMail): unknown {
  return { id, from, sentAt: isoOf(timeOfId(id)), state: 'early', readableFrom: isoOf(readableFromMs) };
}

function earlyRow({ id, from, readableFromMs }: EarlyMail): string[] {
  return [shortId(id), '-', `waits until ${isoOf(readableFromMs)}`, from];
}

function isoOf(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

async function tellEarly({ output }: Call, early: number): Promise<void> {
  const are = early === 1 ? '1 message is' : `${early} messages are`;
  await output.talk(`${are} of a time far ahead of this machine's clock. Compare it with the right time: date -u
`);
}

async function tellUnfit({ output }: Call, unfit: number): Promise<void> {
  const files = unfit === 1 ? '1 file is' : `${unfit} files are`;
  await output.talk(`${files} not listed: expired or not verifiable. The next read puts them aside as dead letters.\n`);
}
