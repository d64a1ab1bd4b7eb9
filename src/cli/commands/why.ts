import { explainWorkflow } from '../../history/explain.ts';
import { noWorkflow } from '../../journal/list.ts';
import { contextOf } from '../../room/room.ts';
import type { CliCommand } from '../command.ts';
import { EXIT_OK } from '../exit-code.ts';
import { formatStory, storyColumns } from '../print/story.ts';
import { commandLine } from '../shell-words.ts';
import { withRoom } from '../with-room.ts';

export const why: CliCommand = {
  name: 'why',
  summary: 'explain how a workflow reached its state',
  operands: [{ name: 'address', completes: 'address' }],
  options: [],
  details: `Each state with the message, timer or activity that caused it, by id and verified sender, and the messages that it sent;
which work was started and how it ended; also mail that was not handled, became a dead letter, or was never verified.
It reads only the journal: what the machine logged and which of its actions failed is in the log.

  mailroom why ship
  mailroom why ship --json | jq -c 'select(.verdict != "taken")'
  mailroom log --from ship --event logged,action-failed`,
  run: (call) =>
    withRoom(call, async (room) => {
      const [address = ''] = call.args.operands;
      const story = explainWorkflow(contextOf(room), address);
      if (!story) throw noWorkflow(contextOf(room), address);
      const columns = storyColumns(story);
      for (const line of story) {
        if (call.isJson) await call.output.json(line);
        else await call.output.data(formatStory(line, { columns }));
      }
      const inLog = [
        story.some(({ logged = 0 }) => logged > 0) && 'what it logged',
        story.some(({ actions = 0 }) => actions > 0) && 'which actions failed',
      ].filter((what) => what !== false);
      if (inLog.length > 0 && !call.isJson) {
        const command = commandLine(['log', '--from', address, '--event', 'logged,action-failed']);
        await call.output.advise(`To see ${inLog.join(' and ')}: ${command}\n`);
      }
      return EXIT_OK;
    }),
};
