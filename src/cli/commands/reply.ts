import type { Message } from '../../message/message.ts';
import { visible } from '../../message/visible.ts';
import type { Mail } from '../../room/mail.ts';
import type { Draft } from '../../room/draft.ts';
import type { SendReport } from '../../room/post-sealed.ts';
import type { Sender } from '../../room/sender.ts';
import type { Call, Command } from '../command.ts';
import { mailOrPast } from '../mail-or-past.ts';
import { draftOf, POST_OPTIONS, postMessage } from '../post-message.ts';
import { readContent } from '../read-content.ts';
import { shortId } from '../show-message.ts';
import { withAgent } from '../with-room.ts';

export const reply: Command = {
  name: 'reply',
  summary: 'answer a message and acknowledge it',
  operands: [{ name: 'id' }, { name: 'type', completes: 'type' }, { name: 'content', literal: true }],
  options: POST_OPTIONS,
  details: `The id is that of a message in your mailbox, read or not, or any ending of it that no other message there has. The answer
goes to its sender, in the same thread. Only when it was delivered is the message acknowledged; until then it stays
claimed by you.

  mailroom reply 1a2b3c4d INFO 'Port 8080.'
  mailroom reply 1a2b3c4d INFO --file answer.md`,
  run: (call) =>
    withAgent(call, async (agent, room) => {
      const [id = '', type = '', operand] = call.args.operands;
      const bytesMax = room.config.limits.messageBytesMax;
      const content = await readContent(call, { operand, bytesMax });
      const draft = draftOf(call.args, { type, content });
      const found = await mailOrPast(agent, room, id);
      const answer = { isDelivered: false };
      try {
        return await postMessage(call, {
          room,
          me: agent.address,
          draft,
          words: ['reply', found.message.id, type, content],
          contentAt: 3,
          send: async (sender) => {
            const report = await sendAnswer(sender, found.message, draft);
            answer.isDelivered = report.outcomes[found.message.from]?.outcome === 'delivered';
            if (answer.isDelivered) await acknowledge(call, found.mail);
            return report;
          },
        });
      } catch (error) {
        if (found.mail && !answer.isDelivered) {
          await call.output.talk(`${shortId(found.message.id)} stays claimed by you; nothing was acknowledged.\n`);
        }
        throw error;
      }
    }),
};

/** To the sender, in the thread of the message or a new one that begins with it. */
function sendAnswer(sender: Sender, { id, from, threadId = id }: Message, draft: Draft): Promise<SendReport> {
  return sender.send([from], { ...draft, replyTo: id, threadId });
}

/** The answer is on its way whatever happens here, so an acknowledgement that fails is told and no more. */
async function acknowledge({ output }: Call, mail: Mail | undefined): Promise<void> {
  try {
    await mail?.ack();
  } catch (error) {
    await output.talk(`The answer was delivered; ${visible(error instanceof Error ? error.message : String(error))}\n`);
  }
}
