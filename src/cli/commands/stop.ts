import { listWorkflows } from '../../journal/list.ts';
import { stopWorkflow } from '../../history/stop.ts';
import { contextOf } from '../../room/room.ts';
import { textOption } from '../arguments.ts';
import type { CliCommand } from '../command.ts';
import { EXIT_OK } from '../exit-code.ts';
import { shortId } from '../print/mail.ts';
import { withRoom } from '../with-room.ts';

export const stop: CliCommand = {
  name: 'stop',
  summary: 'end a workflow and its children',
  operands: [{ name: 'address', completes: 'address' }],
  options: [],
  details: `It ends after its current step; commands that it runs are ended too. A workflow without a host ends as soon as it is run
again, even with changed code. To only interrupt it, press Ctrl-C where it runs.

  mailroom stop ship`,
  run: (call) =>
    withRoom(call, async (room) => {
      const [address = ''] = call.args.operands;
      const by = textOption(call.args, 'as') ?? (call.env['MAILROOM_AS'] || undefined);
      const { id } = await stopWorkflow(contextOf(room), address, { by });
      const found = listWorkflows(room).find((one) => one.address === address);
      if (call.isJson) await call.output.report({ json: { id, address, host: found?.host } });
      else if (found?.host === undefined)
        await call.output.talk(
          `STOP waits in the mailbox of ${address}, which no host runs now. It ends as soon as it is run.\n`,
        );
      else if (found.stuck || found.heldBy !== undefined) {
        const what = `${address} is told to stop (${shortId(id)}), but its host is in a step that does not return.`;
        await call.output.talk(`${what}\n  End the host: kill ${found.host}\n  The next run then ends ${address}.\n`);
      } else await call.output.talk(`${address} is told to stop (${shortId(id)}).\n`);
      return EXIT_OK;
    }),
};
