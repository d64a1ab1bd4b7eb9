import { Conflict, InvalidInput, MessageNotFound } from '../../errors.ts';
import { listDead, retryDead, type DeadLetter } from '../../mailbox/dead.ts';
import { inspect } from '../../mailbox/inspect.ts';
import type { Mailbox } from '../../mailbox/mailbox.ts';
import { echo } from '../../message/cut.ts';
import { parseMessageFileName } from '../../message/layout.ts';
import { visible } from '../../message/visible.ts';
import { mailboxOf } from '../../room/context.ts';
import type { Call, Command } from '../command.ts';
import { EXIT_OK } from '../exit-code.ts';
import { alignColumns, messageJson, messageText, shortId } from '../show-message.ts';
import { withAgent } from '../with-room.ts';

export const dead: Command = {
  name: 'dead',
  summary: 'list, show or take back what was given up or refused',
  operands: [
    { name: 'action', optional: true, choices: ['list', 'show', 'retry'] },
    { name: 'id', optional: true },
  ],
  options: [],
  details: `A dead letter was claimed five times and never acknowledged, expired, or could not be verified. Only what was once
verified can be taken back.

  mailroom dead
  mailroom dead show 1a2b3c4d
  mailroom dead retry 1a2b3c4d`,
  run: (call) =>
    withAgent(call, async (agent, room) => {
      const [action = 'list', id] = call.args.operands;
      const mailbox = mailboxOf(room.context, agent.address);
      const letters = mailbox ? listDead(mailbox) : [];
      if (action === 'list' || !mailbox) return list(call, letters);
      if (id === undefined) {
        throw new InvalidInput(`mailroom dead ${action} needs <id>.`, { hint: 'See the ids: mailroom dead list' });
      }
      const letter = find(letters, id);
      if (action === 'show') return show(call, mailbox, letter);
      retryDead(mailbox, letter.name);
      room.context.log.append({ event: 'retried', id: idOf(letter), to: agent.address });
      if (call.isJson) await call.output.report({ json: { id: idOf(letter), state: 'released' } });
      else await call.output.report({ text: `released  ${shortId(idOf(letter))}\n` });
      return EXIT_OK;
    }),
};

async function list({ isJson, output }: Call, letters: readonly DeadLetter[]): Promise<number> {
  if (isJson) await output.json(letters.map((letter) => ({ id: idOf(letter), ...letter })));
  else if (letters.length === 0) await output.talk('No dead letters.\n');
  else {
    const rows = letters.map((letter) => {
      const from = letter.verified ? `from ${parseMessageFileName(letter.name)?.from ?? '?'}` : 'refused';
      return [shortId(idOf(letter)), letter.at, from, letter.reason, letter.detail].map((cell) => visible(cell));
    });
    await output.data(alignColumns(rows));
  }
  return EXIT_OK;
}

async function show({ isJson, output, host }: Call, mailbox: Mailbox, letter: DeadLetter): Promise<number> {
  const inspected = letter.verified ? inspect(mailbox, letter) : undefined;
  const message = inspected && 'message' in inspected ? inspected.message : undefined;
  if (isJson) {
    await output.json({ id: idOf(letter), ...letter, ...(message ? { message: messageJson(message) } : {}) });
    return EXIT_OK;
  }
  const { reason, detail, at, path } = letter;
  await output.data(visible(`Dead since ${at}  ${reason}: ${detail}`) + `\n${visible(path)}\n`);
  await output.data(
    message
      ? messageText(message, { nowMs: host.clock.now() })
      : 'Its text is not shown, because nobody knows who wrote it.\n',
  );
  return EXIT_OK;
}

function find(letters: readonly DeadLetter[], ending: string): DeadLetter {
  const found = letters.filter((letter) => idOf(letter).endsWith(ending));
  const [letter] = found;
  if (!letter) {
    throw new MessageNotFound(`No dead letter has an id ending in ${echo(ending)}.`, {
      hint: 'See them: mailroom dead list',
    });
  }
  if (found.length > 1) {
    throw new Conflict(`${found.length} dead letters have an id ending in ${ending}.`, {
      hint: 'Give more of its characters; all of it is in: mailroom dead list --json',
    });
  }
  return letter;
}

/** The message's id, or for what was refused the name it was given in `dead/refused`. */
function idOf({ verified, name, path }: DeadLetter): string {
  const id = verified ? parseMessageFileName(name)?.id : undefined;
  return id ?? path.slice(path.lastIndexOf('/') + 1);
}
