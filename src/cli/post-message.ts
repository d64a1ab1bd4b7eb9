import { InvalidInput, isMailroomError, MessageDeliveryError, type MailroomError } from '../errors.ts';
import { contextOf, type Room } from '../room/room.ts';
import { EXPIRY_MS_MAX, type Draft } from '../room/draft.ts';
import type { SendReport } from '../room/deliver-and-log.ts';
import { createSender, type Sender } from '../room/sender.ts';
import { waitForState } from '../room/wait-for-state.ts';
import { WithAdvice } from './report-error.ts';
import { textOption, type Arguments } from './arguments.ts';
import type { Call } from './command.ts';
import type { OptionSpec } from './command-spec.ts';
import { parseDuration, WAIT_MS_MAX } from './option-values.ts';
import { EXIT_OK } from './exit-code.ts';
import { onInterruption } from './interruption.ts';
import { parseJson } from './parse-json.ts';
import { commandLineWithContent } from './shell-words.ts';
import { shortId } from './print/mail.ts';

const WAIT_MS_DEFAULT = 30_000;

/** The options of every command that sends. */
export const POST_OPTIONS: readonly OptionSpec[] = [
  { name: 'file', value: 'path', summary: 'read the content from this file', insteadOfLiteral: true },
  { name: 'allow-empty', summary: 'send it even if there is no text in it' },
  { name: 'data', value: 'JSON', summary: 'JSON for a program, besides the text' },
  { name: 'id', value: 'id', summary: 'retry an earlier send without duplicating it' },
  { name: 'needs-ack', summary: 'ask the recipient to acknowledge it' },
  { name: 'expires', value: 'time', summary: 'not worth reading after this time, such as 10m' },
  {
    name: 'durability',
    value: 'level',
    choices: ['power', 'process'],
    summary: 'what a delivered message survives: power loss (default) or a killed process',
  },
  {
    name: 'wait-for',
    value: 'state',
    choices: ['claimed', 'acked'],
    summary: 'wait until the recipient has claimed or acknowledged it; exit 4 if it has not',
  },
  { name: 'timeout', value: 'time', summary: 'how long --wait-for waits; default 30s' },
];

interface PostOptions {
  readonly room: Room;
  /** The sender's address. */
  readonly me: string;
  readonly draft: Draft;
  /** The command without its options, and the index of the content in it. */
  readonly words: readonly string[];
  readonly contentAt: number;
  send(sender: Sender): Promise<Posted>;
}

/** The outcomes of a message, and of what else the command did with it. */
export interface Posted extends SendReport {
  /** Printed in JSON beside the outcomes. */
  readonly also?: Readonly<Record<string, unknown>>;
  /** What failed after the message was delivered. */
  readonly error?: unknown;
}

/** The draft of a message, from the options that all sending commands share. */
export function draftOf(args: Arguments, message: { type: string; content: string }): Draft {
  const [expires, data] = [textOption(args, 'expires'), textOption(args, 'data')];
  return {
    ...message,
    data: data === undefined ? undefined : parseJson(data, { what: '--data', example: `--data '{"port":8080}'` }),
    id: textOption(args, 'id'),
    threadId: textOption(args, 'thread'),
    replyTo: textOption(args, 'reply-to'),
    needsAck: args.options.has('needs-ack') ? true : undefined,
    expiresInMs:
      expires === undefined ? undefined : parseDuration(expires, { option: 'expires', msMax: EXPIRY_MS_MAX }),
    durability: textOption(args, 'durability') as Draft['durability'],
  };
}

/**
 * Sends the message, reports the outcome at each recipient, and waits if asked to. Throws the error of the first recipient
 * that it did not reach, with the command that repeats it. A command without an id, repeated as it was typed, would send the
 * message twice, so after the first attempt no error advises that.
 */
export async function postMessage(call: Call, posting: PostOptions): Promise<number> {
  const { room, me } = posting;
  const waiting = waitingOf(call.args);
  const sender = createSender(contextOf(room), me);
  let report: Posted;
  try {
    report = await posting.send(sender);
  } catch (error) {
    if (error instanceof MessageDeliveryError) throw withRetry(error, retryLine(call, posting, error.id));
    throw advising(error, 'It may have been sent nevertheless. Before you repeat it, see: mailroom log --limit 10');
  } finally {
    sender.close();
  }
  const failed = Object.values(report.outcomes).find((one) => one.outcome !== 'delivered');
  const retry = failed && retryLine(call, posting, report.id);
  await tell(call, report, retry);
  if (failed) throw withRetry(failed.error, retry ?? '');
  if (report.error !== undefined) throw report.error;
  if (!waiting) return EXIT_OK;
  using interruption = onInterruption();
  try {
    const recipients = Object.keys(report.outcomes);
    await waitForState(contextOf(room), {
      id: report.id,
      from: me,
      recipients,
      ...waiting,
      signal: interruption.signal,
    });
  } catch (error) {
    if (interruption.exitCode !== undefined) return interruption.exitCode;
    throw advising(error, `It was delivered. See where it is: mailroom status ${shortId(report.id)}`);
  }
  await call.output.talk(`${waiting.state} by ${Object.keys(report.outcomes).join(', ')}\n`);
  return EXIT_OK;
}

function waitingOf(args: Arguments): { state: 'claimed' | 'acknowledged'; timeoutMs: number } | undefined {
  const timeout = textOption(args, 'timeout');
  const timeoutMs =
    timeout === undefined ? WAIT_MS_DEFAULT : parseDuration(timeout, { option: 'timeout', msMax: WAIT_MS_MAX });
  const state = textOption(args, 'wait-for');
  if (state !== undefined) return { state: state === 'acked' ? 'acknowledged' : 'claimed', timeoutMs };
  if (timeout === undefined) return undefined;
  throw new InvalidInput('--timeout requires --wait-for.', {
    hint: 'Add --wait-for claimed or --wait-for acked, or omit --timeout.',
  });
}

async function tell({ isJson, output, pasteable }: Call, report: Posted, retry: string | undefined): Promise<void> {
  const { id, outcomes, also } = report;
  if (isJson) {
    const shown = Object.entries(outcomes).map(([address, one]) => [
      address,
      one.outcome === 'delivered'
        ? { outcome: one.outcome }
        : { outcome: one.outcome, code: one.error.code, message: one.error.message, retry: retry && pasteable(retry) },
    ]);
    return output.report({ json: { id, outcomes: Object.fromEntries(shown), ...also } });
  }
  const lines = Object.entries(outcomes).map(([address, { outcome }]) => `${outcome}  ${shortId(id)}  to ${address}\n`);
  return output.report({ text: lines.join('') });
}

/** The complete command that repeats this one with the message's id. */
function retryLine({ args, env }: Call, { words, contentAt, draft, me, room }: PostOptions, id: string): string {
  const given = ['data', 'thread', 'reply-to', 'expires', 'durability'].flatMap((name) => {
    const value = textOption(args, name);
    return value === undefined ? [] : [`--${name}`, value];
  });
  const flags = ['needs-ack', 'include-self', 'allow-empty']
    .filter((name) => args.options.has(name))
    .map((name) => `--${name}`);
  const isElsewhere = args.options.has('room') || env['MAILROOM_DIR'];
  const where = isElsewhere ? ['--room', room.directory] : [];
  const line = ['--as', me, ...where, ...words, ...given, ...flags, '--id', id];
  return commandLineWithContent(line, { at: contentAt + 2 + where.length, text: draft.content });
}

/** Adds the hint to an error that is not Mailroom's own, whose default hint would be to repeat the command. */
function advising(error: unknown, hint: string): unknown {
  return isMailroomError(error) || !(error instanceof Error) ? error : new WithAdvice(error, hint);
}

/** Adds the command to repeat, unless the message itself was refused. */
function withRetry(error: MailroomError, retry: string): Error {
  if (error.code === 'CONFLICT' || error.code === 'MESSAGE_REFUSED') return error;
  return new WithAdvice(error, `It is safe to repeat it with its id: ${retry}`);
}
