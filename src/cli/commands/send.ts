import { isMessageId } from '../../message/message-id.ts';
import { mailboxOf } from '../../room/context.ts';
import { findMail } from '../../room/find-mail.ts';
import { contextOf, type Room } from '../../room/room.ts';
import { textOption } from '../arguments.ts';
import type { Call, CliCommand } from '../command.ts';
import { draftOf, POST_OPTIONS, postMessage } from '../post-message.ts';
import { readContent } from '../read-content.ts';
import { withAgent } from '../with-room.ts';

export const send: CliCommand = {
  name: 'send',
  summary: 'send a message to one agent',
  operands: [
    { name: 'to', completes: 'address' },
    { name: 'type', completes: 'type' },
    { name: 'content', literal: true },
  ],
  options: [
    ...POST_OPTIONS,
    { name: 'thread', value: 'id', summary: 'the conversation it belongs to' },
    { name: 'reply-to', value: 'id', summary: 'the message it answers' },
  ],
  details: `On success the message is in the recipient's mailbox and survives a crash; it waits there while the recipient is away.
The argument after <type> is always the content, even if it looks like an option; put options before <type> or after the
content. After -- every argument is an operand. Use - to read the content from stdin.

Types are QUESTION REVIEW-REQUEST BLOCKED COMPLETED CHALLENGE INFO ACK, and those that agents join with (--accepts).

  mailroom send bob QUESTION 'Which port does the API use?'
  mailroom send bob INFO --file notes.md
  mailroom send bob REVIEW-REQUEST 'src/api.ts' --data '{"lines":[10,42]}' --wait-for acked --timeout 10m
  git diff | mailroom send bob INFO -

With --json: {"id", "outcomes": {"bob": {"outcome": "delivered" | "failed" | "unknown", "code", "retry"}}}, where retry is
the complete command that repeats it with the same id.`,
  run: (call) =>
    withAgent(call, async (agent, room) => {
      const [to = '', type = '', operand] = call.args.operands;
      const bytesMax = room.config.limits.messageBytesMax;
      const content = await readContent(call, { operand, bytesMax });
      const draft = { ...draftOf(call.args, { type, content }), replyTo: answeredId(call, room, agent.address) };
      return postMessage(call, {
        room,
        me: agent.address,
        draft,
        words: ['send', to, type, content],
        contentAt: 3,
        send: (sender) => sender.send([to], draft),
      });
    }),
};

/** The full id of the message that --reply-to names by its ending. */
function answeredId({ args }: Call, room: Room, me: string): string | undefined {
  const given = textOption(args, 'reply-to');
  const mailbox = mailboxOf(contextOf(room), me);
  return given === undefined || isMessageId(given) || !mailbox ? given : findMail(mailbox, given).id;
}
