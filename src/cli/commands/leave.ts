import type { Command } from '../command.ts';
import { EXIT_OK } from '../exit-code.ts';
import { withAgent } from '../with-room.ts';

export const leave: Command = {
  name: 'leave',
  summary: 'say that you are gone; your mail waits',
  operands: [],
  options: [],
  details: `Others still can send to you, broadcasts no longer reach you, and you may join again under the same address.`,
  run: (call) =>
    withAgent(call, async (agent) => {
      await agent.leave();
      if (call.isJson) await call.output.report({ json: { address: agent.address, left: true } });
      await call.output.advise(`${agent.address} has left. Its mail waits: mailroom join ${agent.address}\n`);
      return EXIT_OK;
    }),
};
