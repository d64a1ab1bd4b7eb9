import type { CliCommand } from '../command.ts';
import { EXIT_OK } from '../exit-code.ts';
import { withAgent } from '../with-room.ts';

export const purge: CliCommand = {
  name: 'purge',
  summary: 'delete mail that you acknowledged long ago',
  operands: [],
  options: [],
  details: `Whole days are deleted, 30 days after they end (doneDaysKept in room.json). Waiting and claimed mail is never touched.
The first purge after the clock has jumped by more than a day deletes nothing.`,
  run: (call) =>
    withAgent(call, async (agent) => {
      const { through, days, messages } = await agent.purge();
      if (call.isJson) await call.output.report({ json: { address: agent.address, through, days, messages } });
      else {
        await call.output.report({ text: `${messages} messages of ${days} days deleted for ${agent.address}\n` });
      }
      return EXIT_OK;
    }),
};
