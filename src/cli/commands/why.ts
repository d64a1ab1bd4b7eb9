import { storyOf } from '../../durable/story.ts';
import { noWorkflow } from '../../durable/stop-workflow.ts';
import type { Command } from '../command.ts';
import { EXIT_OK } from '../exit-code.ts';
import { storyText } from '../story-text.ts';
import { withRoom } from '../with-room.ts';

export const why: Command = {
  name: 'why',
  summary: 'tell how a workflow came to where it is',
  operands: [{ name: 'address', completes: 'address' }],
  options: [],
  details: `Each state with the message, timer or activity that caused it, by id and verified sender, and what was said because of it;
also what it did not handle, what became a dead letter, and what was never believed. From the journal alone.

  mailroom why ship
  mailroom why ship --json | jq -c 'select(.verdict != "taken")'`,
  run: (call) =>
    withRoom(call, async (room) => {
      const [address = ''] = call.args.operands;
      const story = storyOf(room.context, address);
      if (!story) throw noWorkflow(room.context, address);
      for (const line of story) {
        if (call.isJson) await call.output.json(line);
        else await call.output.data(storyText(line, { seq: true }));
      }
      return EXIT_OK;
    }),
};
