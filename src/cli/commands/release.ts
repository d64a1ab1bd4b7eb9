import type { CliCommand } from '../command.ts';
import { eachId, claimHeld } from '../own-mail.ts';
import { withAgent } from '../with-room.ts';

export const release: CliCommand = {
  name: 'release',
  summary: 'release messages you hold, so that they wait again',
  operands: [{ name: 'id', many: true }],
  options: [],
  details: `For messages that you hold (read --hold) and will not handle. The next read gets them at once.

  mailroom release 1a2b3c4d`,
  run: (call) =>
    withAgent(call, (agent, room) =>
      eachId(call, async (idEnding) => {
        const mail = await claimHeld(agent, room, idEnding);
        await mail.release();
        return { id: mail.message.id, state: 'released' };
      }),
    ),
};
