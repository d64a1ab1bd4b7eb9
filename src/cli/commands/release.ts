import type { Command } from '../command.ts';
import { eachId, heldByMe } from '../own-mail.ts';
import { withAgent } from '../with-room.ts';

export const release: Command = {
  name: 'release',
  summary: 'give back messages you hold, so that they wait again',
  operands: [{ name: 'id', many: true }],
  options: [],
  details: `For what you hold (read --hold) and will not deal with. The next read gets it at once.

  mailroom release 1a2b3c4d`,
  run: (call) =>
    withAgent(call, (agent, room) =>
      eachId(call, async (idEnding) => {
        const mail = await heldByMe(agent, room, idEnding);
        await mail.release();
        return { id: mail.message.id, state: 'released' };
      }),
    ),
};
