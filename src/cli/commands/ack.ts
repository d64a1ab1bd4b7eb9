import type { CliCommand } from '../command.ts';
import { eachId } from '../own-mail.ts';
import { withAgent } from '../with-room.ts';

export const ack: CliCommand = {
  name: 'ack',
  summary: 'mark messages as handled',
  operands: [{ name: 'id', many: true }],
  options: [],
  details: `For messages that you hold (read --hold) and for waiting ones. It sends nothing; the sender sees it with mailroom status.
Acknowledging a message again is no error.

  mailroom ack 1a2b3c4d 5e6f7a8b`,
  run: (call) =>
    withAgent(call, (agent) =>
      eachId(call, async (idEnding) => ({ id: await agent.acknowledge(idEnding), state: 'acknowledged' })),
    ),
};
