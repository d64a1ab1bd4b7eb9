import type { Command } from '../command.ts';
import { eachId } from '../own-mail.ts';
import { withAgent } from '../with-room.ts';

export const ack: Command = {
  name: 'ack',
  summary: 'acknowledge messages: they are dealt with',
  operands: [{ name: 'id', many: true }],
  options: [],
  details: `For what you hold (read --hold), and for what still waits. It sends nothing; the sender sees it with mailroom status.
Acknowledging once more is no error.

  mailroom ack 1a2b3c4d 5e6f7a8b`,
  run: (call) =>
    withAgent(call, (agent) =>
      eachId(call, async (idEnding) => ({ id: await agent.acknowledge(idEnding), state: 'acknowledged' })),
    ),
};
