import { formatTime } from '../../message/format-time.ts';
import { textOption } from '../arguments.ts';
import type { CliCommand } from '../command.ts';
import { parseDuration } from '../option-values.ts';
import { eachId, claimHeld } from '../own-mail.ts';
import { withAgent } from '../with-room.ts';

export const renew: CliCommand = {
  name: 'renew',
  summary: 'hold messages longer',
  operands: [{ name: 'id', many: true }],
  options: [{ name: 'lease', value: 'time', summary: 'how long from now; default 10m' }],
  details: `For messages that you hold (read --hold) and still work on. A lease never gets shorter.

  mailroom renew 1a2b3c4d --lease 1h`,
  run: (call) =>
    withAgent(call, (agent, room) => {
      const { leaseMs: usual, leaseMsMax: msMax } = room.config.limitsOf(agent.address);
      const lease = textOption(call.args, 'lease');
      const leaseMs = lease === undefined ? usual : parseDuration(lease, { option: 'lease', msMax });
      return eachId(call, async (idEnding) => {
        const mail = await claimHeld(agent, room, idEnding);
        await mail.renew(leaseMs);
        const until = mail.leaseEndsAtMs;
        const detail = `until ${call.isJson ? new Date(until).toISOString() : formatTime(until)}`;
        return { id: mail.message.id, state: 'claimed', detail };
      });
    }),
};
