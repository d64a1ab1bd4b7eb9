import type { CliCommand } from '../command.ts';
import { draftOf, POST_OPTIONS, postMessage } from '../post-message.ts';
import { readContent } from '../read-content.ts';
import { withAgent } from '../with-room.ts';

export const broadcast: CliCommand = {
  name: 'broadcast',
  summary: 'send a message to every joined agent',
  operands: [
    { name: 'type', completes: 'type' },
    { name: 'content', literal: true },
  ],
  options: [
    ...POST_OPTIONS,
    { name: 'thread', value: 'id', summary: 'the conversation it belongs to' },
    { name: 'include-self', summary: 'send it to yourself too' },
  ],
  details: `Each recipient has its own outcome, on a line of its own. A broadcast counts once against your rate limit. Repeating it
with --id delivers it only where it has not arrived.

  mailroom broadcast INFO 'The main branch is green again.'
  mailroom broadcast INFO - <<'EOF'
  any text, as it is
  EOF`,
  run: (call) =>
    withAgent(call, async (agent, room) => {
      const [type = '', operand] = call.args.operands;
      const bytesMax = room.config.limits.messageBytesMax;
      const content = await readContent(call, { operand, bytesMax });
      const draft = draftOf(call.args, { type, content });
      const excludeSelf = !call.args.options.has('include-self');
      return postMessage(call, {
        room,
        me: agent.address,
        draft,
        words: ['broadcast', type, content],
        contentAt: 2,
        send: (sender) => sender.broadcast(draft, { excludeSelf }),
      });
    }),
};
