import type { Command } from '../command.ts';
import { EXIT_OK } from '../exit-code.ts';
import { withAgent } from '../with-room.ts';

export const purge: Command = {
  name: 'purge',
  summary: 'delete what you acknowledged long ago',
  operands: [],
  options: [],
  details: `Whole days are deleted, 30 days after their end (doneDaysKept in room.json). Nothing that waits or is claimed is touched.
After a jump of the clock by more than a day nothing is deleted the first time.`,
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
