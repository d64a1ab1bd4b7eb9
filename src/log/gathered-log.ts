import type { Clock } from '../host/clock.ts';
import { nextTurn } from '../host/next-turn.ts';
import type { EventLog, TimedRecord } from './event-log.ts';

/**
 * A log for a process to which much happens at once: what is appended in one turn of its event loop is written together at
 * the turn's end, or when the log is closed. A process that is killed loses the records of that turn.
 */
export function gatherLog(log: EventLog, clock: Pick<Clock, 'now'>): EventLog {
  let gathered: TimedRecord[] = [];
  const flush = (): void => {
    const records = gathered;
    gathered = [];
    if (records.length > 0) log.appendAll(records);
  };
  const appendAll = (records: readonly TimedRecord[]): void => {
    if (gathered.length === 0) void nextTurn().then(flush);
    gathered.push(...records);
  };
  return {
    append: (record) => appendAll([{ record, timeMs: clock.now() }]),
    appendAll,
    close: flush,
  };
}
