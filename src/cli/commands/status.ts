import type { MessageStatus } from '../../mailbox/status.ts';
import { visible } from '../../message/visible.ts';
import { formatTime } from '../../message/format-time.ts';
import type { CliCommand } from '../command.ts';
import { formatDuration } from '../option-values.ts';
import { EXIT_OK } from '../exit-code.ts';
import { alignColumns, shortId } from '../print/mail.ts';
import { withRoom } from '../with-room.ts';

export const status: CliCommand = {
  name: 'status',
  summary: 'show where a message is, one line per recipient',
  operands: [{ name: 'id' }],
  options: [],
  details: `The state is where the message lies: delivered, claimed (somebody is handling it), released (it waits again),
acknowledged, or dead with the reason.

  mailroom status 1a2b3c4d`,
  run: (call) =>
    withRoom(call, async (room) => {
      const found = room.status(call.args.operands[0] ?? '');
      const nowMs = call.host.clock.now();
      if (call.isJson) await call.output.json(found.map(asJson));
      else await call.output.data(alignColumns(found.map((one) => asRow(one, nowMs))));
      return EXIT_OK;
    }),
};

function asJson({ untilMs, readableFromMs, ...rest }: MessageStatus): unknown {
  return {
    ...rest,
    ...(untilMs ? { leaseEndsAt: new Date(untilMs).toISOString() } : {}),
    ...(readableFromMs === undefined ? {} : { readableFrom: new Date(readableFromMs).toISOString() }),
  };
}

function asRow(found: MessageStatus, nowMs: number): string[] {
  const { id, recipient, state, attempt, untilMs, readableFromMs, reason, detail } = found;
  const more = [
    readableFromMs !== undefined && `waits until ${formatTime(readableFromMs)}, ahead of this machine's clock`,
    state === 'claimed' && untilMs !== undefined && `${formatDuration(untilMs - nowMs)} left`,
    attempt !== undefined && attempt > 1 && `attempt ${attempt}`,
    reason,
    detail,
  ];
  return [shortId(id), recipient, state, visible(more.filter(Boolean).join(', '))];
}
