import { Conflict } from '../errors.ts';
import { formatTime } from '../message/format-time.ts';
import type { RoomContext } from '../room/context.ts';
import { describeProcess, elsewhereHint, isThere } from '../room/signs-of-life.ts';
import type { OpenRecord } from './record.ts';

/** Whether the host that opened a journal last is there; `seenMs` is when the workflow was last seen. */
export function isHostThere({ host }: RoomContext, { process }: OpenRecord, seenMs: number | undefined): boolean {
  return isThere(host, { process, kind: 'workflow', seenMs: () => seenMs });
}

/** The error for whoever would run what a host runs that is there. */
export function runByAnother({ host }: RoomContext, address: string, { process, at }: OpenRecord): Conflict {
  const who = describeProcess(host, process);
  return new Conflict(`The workflow ${address} is run by another host (${who}, since ${formatTime(at)}).`, {
    hint: `Let it go on, end it, or take the workflow from it with --take-over.${elsewhereHint(host, { process, kind: 'workflow' })}`,
  });
}
