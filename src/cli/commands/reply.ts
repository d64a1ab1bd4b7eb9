import { isMailroomError, MailroomError, MessageRefused } from '../../errors.ts';
import type { Agent } from '../../room/agent.ts';
import type { Draft } from '../../room/draft.ts';
import type { Room } from '../../room/room.ts';
import type { Sender } from '../../room/sender.ts';
import { WithAdvice } from '../report-error.ts';
import type { Call, CliCommand } from '../command.ts';
import { claimOrReadAcknowledged, type OwnMail } from '../own-mail.ts';
import { draftOf, POST_OPTIONS, postMessage, type Posted } from '../post-message.ts';
import { readContent } from '../read-content.ts';
import { shortId } from '../print/mail.ts';
import { withAgent } from '../with-room.ts';

export const reply: CliCommand = {
  name: 'reply',
  summary: 'answer a message and acknowledge it',
  operands: [{ name: 'id' }, { name: 'type', completes: 'type' }, { name: 'content', literal: true }],
  options: POST_OPTIONS,
  details: `The id is that of a message in your mailbox, read or not, or any ending of it that no other message there has. The answer
goes to its sender, in the same thread. The message is acknowledged only after the answer was delivered; until then it
stays claimed by you. The same answer to the same message arrives once, however often the command is repeated.

  mailroom reply 1a2b3c4d INFO 'Port 8080.'
  mailroom reply 1a2b3c4d INFO --file answer.md

With --json: {"id", "outcomes", "acknowledged", "again"}. "acknowledged": the message is acknowledged now. "again": the
same answer had arrived before. The outcomes are as with send.`,
  run: (call) => withAgent(call, (agent, room) => answer(call, agent, room)),
};

async function answer(call: Call, agent: Agent, room: Room): Promise<number> {
  const [id = '', type = '', operand] = call.args.operands;
  const bytesMax = room.config.limits.messageBytesMax;
  const content = await readContent(call, { operand, bytesMax });
  const draft = draftOf(call.args, { type, content });
  const found = await claimOrReadAcknowledged(agent, room, id);
  let isDelivered = false;
  try {
    return await postMessage(call, {
      room,
      me: agent.address,
      draft,
      words: ['reply', found.message.id, type, content],
      contentAt: 3,
      send: async (sender) => {
        const posted = await sendAndAcknowledge(call, { agent, sender, found, draft });
        isDelivered = posted.outcomes[found.message.from]?.outcome === 'delivered';
        return posted;
      },
    });
  } catch (error) {
    if (found.mail && !isDelivered) {
      await call.output.talk(`${shortId(found.message.id)} stays claimed by you; nothing was acknowledged.\n`);
    }
    throw isPurged(error) && draft.id === undefined ? new WithAdvice(error, newMessageHint(found, draft)) : error;
  }
}

async function sendAndAcknowledge(
  { output }: Call,
  { agent, sender, found, draft }: { agent: Agent; sender: Sender; found: OwnMail; draft: Draft },
): Promise<Posted> {
  const { message, mail } = found;
  const report = await sender.reply(message, draft);
  const outcome = report.outcomes[message.from];
  if (outcome?.outcome !== 'delivered') return { ...report, also: { acknowledged: mail === undefined, again: false } };
  const { again } = outcome;
  if (again) await output.talk(`This answer had already arrived under the same id; it was not sent twice.\n`);
  try {
    // Meanwhile another process of this agent may have taken the message over, or acknowledged it.
    await mail?.ack().catch(() => agent.acknowledge(message.id));
    return { ...report, also: { acknowledged: true, again } };
  } catch (cause) {
    return { ...report, also: { acknowledged: false, again }, error: unacknowledged(found, report.id, cause) };
  }
}

function unacknowledged({ message }: OwnMail, answerId: string, cause: unknown): unknown {
  if (!isMailroomError(cause)) return cause;
  const said = `The answer ${shortId(answerId)} was delivered to ${message.from}, but ${shortId(message.id)} was not acknowledged`;
  return new MailroomError(cause.code, `${said}: ${cause.message}`, {
    cause,
    hint: `Repeating the command acknowledges it and sends nothing twice. So does: mailroom ack ${shortId(message.id)}`,
  });
}

function isPurged(error: unknown): error is MessageRefused {
  return error instanceof MessageRefused && error.reason === 'purged';
}

/** The hint for an answer that may never have arrived. */
function newMessageHint({ message }: OwnMail, { type }: Draft): string {
  return `If it never arrived, send it as a new message: mailroom send ${message.from} ${type} <content> --reply-to ${message.id}`;
}
