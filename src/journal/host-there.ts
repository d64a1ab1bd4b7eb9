import { Conflict } from '../errors.ts';
import { formatTime } from '../message/format-time.ts';
import type { RoomContext } from '../room/context.ts';
import { describeProcess, elsewhereHint, isThere } from '../room/signs-of-life.ts';
import type { OpenRecord } from './record.ts';

/** Whether the host that last opened a journal is still there; `seenMs` is when the workflow last showed a sign of life. */
export function isHostThere({ host }: RoomContext, { process }: OpenRecord, seenMs: number | undefined): boolean {
  return isThere(host, { process, kind: 'workflow', seenMs: () => seenMs });
}

/** The error for running a workflow that a live host runs. */
export function runByAnother({ host }: RoomContext, address: string, { process, at }: OpenRecord): Conflict {
  const who = describeProcess(host, process);
  return new Conflict(`The workflow ${address} is run by another host (${who}, since ${formatTime(at)}).`, {
    hint: `Leave it running, stop it, or take over with --take-over.${elsewhereHint(host, { process, kind: 'workflow' })}`,
  });
}
