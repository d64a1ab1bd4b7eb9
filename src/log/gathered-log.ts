import type { Clock } from '../host/host.ts';
import { nextTurn } from '../host/node-clock.ts';
import type { EventLog, TimedRecord } from './event-log.ts';

/**
 * A log for a busy process: records appended within one turn of its event loop are written together at the turn's end.
 * A process that is killed loses the records of that turn. Once closed, which leaves the log below it open, each record
 * is written at once.
 */
export function gatherLog(log: EventLog, clock: Pick<Clock, 'now'>): EventLog {
  let gathered: TimedRecord[] = [];
  let isClosed = false;
  const flush = (): void => {
    const records = gathered;
    gathered = [];
    if (records.length > 0) log.appendAll(records);
  };
  const appendAll = (records: readonly TimedRecord[]): void => {
    if (gathered.length === 0 && !isClosed) void nextTurn().then(flush);
    gathered.push(...records);
    if (isClosed) flush();
  };
  return {
    append: (record) => appendAll([{ record, timeMs: clock.now() }]),
    appendAll,
    close: () => {
      isClosed = true;
      flush();
    },
  };
}
