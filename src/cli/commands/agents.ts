import type { ActorInfo } from '../../room/room.ts';
import { visible } from '../../message/visible.ts';
import type { CliCommand } from '../command.ts';
import { formatDuration } from '../option-values.ts';
import { EXIT_OK } from '../exit-code.ts';
import { alignColumns } from '../print/mail.ts';
import { withRoom } from '../with-room.ts';

export const agents: CliCommand = {
  name: 'agents',
  summary: 'list who has joined, who is live and who has mail',
  operands: [],
  options: [{ name: 'addresses', summary: 'only the addresses, one per line' }],
  details: `State is live (its terminal runs), gone (it ended without leaving) or left. Seen is when it last looked at its mailbox;
waiting is the number of its unclaimed messages.

  mailroom agents --json | jq -r '.[] | select(.live) | .address'`,
  run: (call) =>
    withRoom(call, async (room) => {
      const actors = room.actors();
      const nowMs = call.host.clock.now();
      const { output, isJson, args } = call;
      if (isJson) await output.json(actors.map(asJson));
      else if (args.options.has('addresses')) await output.data(actors.map(({ card }) => `${card.address}\n`).join(''));
      else if (actors.length > 0)
        await output.data(alignColumns([HEADINGS, ...actors.map((one) => asRow(one, nowMs))]));
      else await output.advise('Nobody has joined. Join with: eval "$(mailroom join <address>)"\n');
      return EXIT_OK;
    }),
};

const HEADINGS = ['ADDRESS', 'STATE', 'SEEN', 'WAITING', 'PROGRAM', 'SKILLS'];

function asJson({ card, live, seenAtMs, waiting }: ActorInfo): unknown {
  const { address, kind, program, skills, accepts, joinedAt, leftAt } = card;
  const seenAt = seenAtMs === undefined ? undefined : new Date(seenAtMs).toISOString();
  return { address, kind, program, skills, accepts, live, joinedAt, leftAt, seenAt, waiting };
}

function asRow({ card, live, seenAtMs, waiting }: ActorInfo, nowMs: number): string[] {
  const { address, kind, program, skills, leftAt } = card;
  const state = leftAt !== undefined ? 'left' : live ? 'live' : 'gone';
  const seen = seenAtMs === undefined ? 'never' : `${formatDuration(nowMs - seenAtMs)} ago`;
  const what = program ?? (kind === 'workflow' ? 'workflow' : '-');
  return [address, state, seen, String(waiting), visible(what), visible(skills.map(String).join(', '))];
}
