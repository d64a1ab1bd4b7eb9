import type { CliCommand } from '../command.ts';
import { EXIT_OK } from '../exit-code.ts';
import { withAgent } from '../with-room.ts';

export const leave: CliCommand = {
  name: 'leave',
  summary: 'leave the room (your mail is kept)',
  operands: [],
  options: [],
  details: `Others can still send to you, broadcasts no longer reach you, and you can join again under the same address.`,
  run: (call) =>
    withAgent(call, async (agent) => {
      await agent.leave();
      if (call.isJson) await call.output.report({ json: { address: agent.address, left: true } });
      await call.output.advise(
        `${agent.address} has left. Its mail is kept. To come back: mailroom join ${agent.address}\n`,
      );
      return EXIT_OK;
    }),
};
