import { Conflict, InvalidInput, isMailroomError, MessageNotFound } from '../../errors.ts';
import { listDead, retryDead, type DeadMail } from '../../mailbox/dead.ts';
import { readVerified } from '../../mailbox/find.ts';
import type { Mailbox } from '../../mailbox/mailbox.ts';
import { echo } from '../../message/cut.ts';
import { formatTime } from '../../message/format-time.ts';
import { parseMessageFileName } from '../../message/layout.ts';
import { MESSAGE_BYTES_CEILING } from '../../message/message.ts';
import { visible } from '../../message/visible.ts';
import { mailboxOf } from '../../room/context.ts';
import { contextOf, type Room } from '../../room/room.ts';
import type { Call, CliCommand } from '../command.ts';
import { EXIT_OK } from '../exit-code.ts';
import { alignColumns, fittedJson, fittedText, MAX_BYTES_OPTION, maxBytesOf, shortId } from '../print/mail.ts';
import { withAgent } from '../with-room.ts';

/** More than any message needs as text, with its line breaks and escapes. */
const WHOLE_BYTES = 8 * MESSAGE_BYTES_CEILING;

export const dead: CliCommand = {
  name: 'dead',
  summary: 'list, show or retry dead letters',
  operands: [
    { name: 'action', optional: true, choices: ['list', 'show', 'retry'] },
    { name: 'id', optional: true },
  ],
  options: [
    { name: 'refused', summary: 'with retry: every refused message whose reason may no longer hold' },
    MAX_BYTES_OPTION,
  ],
  details: `A dead letter was claimed five times and never acknowledged, expired, was rejected, or could not be verified (refused).
Verified letters can be retried. So can letters that were refused for a reason that may pass, such as a missing key or a
newer version; the list says which. A retried letter is checked again like new mail. A refused letter goes by the id that
the list shows, or by the id in its file name.

  mailroom dead
  mailroom dead show 1a2b3c4d
  mailroom dead retry 1a2b3c4d
  mailroom dead retry --refused`,
  run: (call) =>
    withAgent(call, async (agent, room) => {
      const [action = 'list', id] = call.args.operands;
      const mailbox = mailboxOf(contextOf(room), agent.address);
      const letters = mailbox ? listDead(mailbox) : [];
      if (action === 'list' || !mailbox) return list(call, letters);
      if (action === 'retry' && call.args.options.has('refused')) return retryRefused(call, room, mailbox);
      if (id === undefined) {
        throw new InvalidInput(`mailroom dead ${action} needs <id>.`, { hint: 'See the ids: mailroom dead list' });
      }
      const letter = find(letters, id);
      if (action === 'show') return show(call, mailbox, letter);
      const messageId = retry(room, mailbox, letter);
      if (call.isJson) await call.output.report({ json: { id: messageId, state: 'released' } });
      else await call.output.report({ text: `released  ${shortId(messageId)}\n` });
      return EXIT_OK;
    }),
};

/** Puts the letter back into `new`. Returns the id of its message. */
function retry(room: Room, mailbox: Mailbox, letter: DeadMail): string {
  retryDead(mailbox, fileNameOf(letter));
  const id = messageIdOf(letter) ?? idOf(letter);
  contextOf(room).log.append({ event: 'retried', id, to: mailbox.address });
  return id;
}

async function retryRefused({ isJson, output }: Call, room: Room, mailbox: Mailbox): Promise<number> {
  const refused = listDead(mailbox).filter(({ verified, retryable }) => !verified && retryable);
  const released: string[] = [];
  let left = 0;
  for (const letter of refused) {
    try {
      released.push(retry(room, mailbox, letter));
    } catch (error) {
      // Its day was purged, or another command was faster.
      if (!isMailroomError(error)) throw error;
      left += 1;
    }
  }
  if (isJson) await output.report({ json: released.map((id) => ({ id, state: 'released' })) });
  else await output.report({ text: released.map((id) => `released  ${shortId(id)}\n`).join('') });
  if (released.length === 0) await output.talk('No refused message can be retried.\n');
  if (left > 0) await output.talk(`${left} could not be retried. To see why: mailroom dead retry <id>\n`);
  return EXIT_OK;
}

async function list({ isJson, output }: Call, letters: readonly DeadMail[]): Promise<number> {
  if (isJson) await output.json(letters.map((letter) => ({ ...idsOf(letter), ...letter })));
  else if (letters.length === 0) await output.talk('No dead letters.\n');
  else {
    const rows = letters.map((letter) => {
      const from = letter.verified ? `from ${parseMessageFileName(letter.name)?.from ?? '?'}` : refusedText(letter);
      return [shortId(idOf(letter)), sinceText(letter), from, letter.reason, letter.detail].map((cell) =>
        visible(cell),
      );
    });
    await output.data(alignColumns(rows));
  }
  return EXIT_OK;
}

async function show(call: Call, mailbox: Mailbox, letter: DeadMail): Promise<number> {
  const { isJson, output, host, args } = call;
  const read = letter.verified ? readVerified(mailbox, letter) : undefined;
  const message = read && 'message' in read ? read.message : undefined;
  const bytesMax = maxBytesOf(args);
  const rest = `mailroom dead show ${shortId(idOf(letter))} --max-bytes ${WHOLE_BYTES}`;
  if (isJson) {
    const fitted = message && fittedJson(message, {}, bytesMax);
    await output.json({ ...idsOf(letter), ...letter, ...(fitted ? { message: fitted.shown } : {}) });
    if (fitted?.isCut) await output.advise(`Printed in part. All of it: ${rest}\n`);
    return EXIT_OK;
  }
  const { reason, detail, path } = letter;
  await output.data(visible(`Dead since ${sinceText(letter)}  ${reason}: ${detail}`) + `\n${visible(path)}\n`);
  const told = { nowMs: host.clock.now(), attempt: 1, bytesMax, rest: call.pasteable(rest) };
  await output.data(
    message ? fittedText(message, told).shown : 'Its text is not shown, because its sender is not verified.\n',
  );
  return EXIT_OK;
}

/** The time of death; if the reason file holds no valid time, its text as it is. */
function sinceText({ at }: DeadMail): string {
  const atMs = Date.parse(at);
  return Number.isNaN(atMs) ? at : formatTime(atMs);
}

function find(letters: readonly DeadMail[], ending: string): DeadMail {
  const found = letters.filter((letter) => idOf(letter).endsWith(ending) || messageIdOf(letter)?.endsWith(ending));
  const [letter] = found;
  if (!letter) {
    throw new MessageNotFound(`No dead letter has an id ending in ${echo(ending)}.`, {
      hint: 'See them: mailroom dead list',
    });
  }
  if (found.length > 1) {
    throw new Conflict(`${found.length} dead letters have an id ending in ${ending}.`, {
      hint: 'Give more characters of its "id". The full ids: mailroom dead list --json',
    });
  }
  return letter;
}

function refusedText({ retryable }: DeadMail): string {
  return retryable ? 'refused, may be retried' : 'refused';
}

/** The message's id; for a refused file, its name in `dead/refused`. */
function idOf(letter: DeadMail): string {
  const id = letter.verified ? messageIdOf(letter) : undefined;
  return id ?? fileNameOf(letter);
}

/** The id in the file's original name; undefined if that was not the name of a message. */
function messageIdOf({ name }: DeadMail): string | undefined {
  return parseMessageFileName(name)?.id;
}

function idsOf(letter: DeadMail): { id: string; messageId?: string } {
  const messageId = messageIdOf(letter);
  return { id: idOf(letter), ...(messageId === undefined ? {} : { messageId }) };
}

function fileNameOf({ path }: DeadMail): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
