import type { Divergence } from '../../history/replay.ts';
import { noWorkflow } from '../../journal/list.ts';
import { visible, visibleJson } from '../../message/visible.ts';
import { contextOf } from '../../room/room.ts';
import type { CliCommand } from '../command.ts';
import { EXIT_FAILURE, EXIT_OK } from '../exit-code.ts';
import { loadRuntime, machineOf, namedOrShipped } from '../load.ts';
import { commandLine } from '../shell-words.ts';
import { withRoom } from '../with-room.ts';

const SHOWN_MAX = 20;

export const replay: CliCommand = {
  name: 'replay',
  summary: 'replay every step of a workflow and compare',
  operands: [{ name: 'address', completes: 'address' }],
  options: [
    {
      name: 'machine',
      value: 'file',
      summary: 'the file of the machine; needed unless the machine ships with Mailroom',
    },
  ],
  details: `Nothing is sent or changed. If the machine would now act differently than the journal says, each difference is printed and
the exit code is 1: the code has changed, or a step depends on the time or on chance.

  mailroom replay ship --machine ship.ts
  mailroom replay ship --machine ship-new.ts     # what would the next version have done?`,
  run: (call) =>
    withRoom(call, async (room) => {
      const [address = ''] = call.args.operands;
      const { machine, file } = await machineOf(contextOf(room), address, {
        cwd: call.cwd,
        program: call.nudgeProgram,
        chooseFile: namedOrShipped(call),
      });
      const runtime = await loadRuntime(file);
      const replayed = runtime.replayWorkflow(room, address, machine);
      if (!replayed) throw noWorkflow(contextOf(room), address);
      const { steps, divergences } = replayed;
      if (call.isJson) await call.output.json({ address, steps, divergences });
      else {
        for (const one of divergences.slice(0, SHOWN_MAX)) await call.output.data(lineOf(one));
        const more = divergences.length - SHOWN_MAX;
        if (more > 0) await call.output.advise(`… and ${more} more: ${commandLine(['replay', address, '--json'])}\n`);
        await call.output.talk(
          divergences.length === 0
            ? `${steps} steps replayed; each came out as recorded.\n`
            : `${steps} steps replayed, ${divergences.length} differences.\n`,
        );
      }
      return divergences.length === 0 ? EXIT_OK : EXIT_FAILURE;
    }),
};

function lineOf({ step, where, recorded, replayed }: Divergence): string {
  const text = (value: unknown): string => (value === undefined ? 'nothing' : visibleJson(value));
  return `#${step}  ${visible(where)}: recorded ${text(recorded)}, now ${text(replayed)}\n`;
}
