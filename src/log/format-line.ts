import { formatTime } from '../message/format-time.ts';
import { visible } from '../message/visible.ts';
import type { LogRecord } from './event-log.ts';

/** The longest names of events. */
const EVENT_COLUMNS = 'action-failed'.length;

/** A record as a line for a terminal. */
export function formatLogLine(line: string): string {
  try {
    const { time, event, from, to, type, id, content, outcome, detail } = JSON.parse(line) as LogRecord & {
      time: string;
    };
    const route = [from, to && `→ ${[to].flat().join(', ')}`].filter(Boolean).join(' ');
    const result =
      typeof outcome === 'object'
        ? Object.entries(outcome)
            .map(([who, what]) => `${who}: ${what}`)
            .join(', ')
        : outcome;
    const parts = [
      timeText(time),
      event.padEnd(EVENT_COLUMNS),
      route,
      type,
      id?.slice(-8),
      result && `[${result}]`,
      detail,
      content && JSON.stringify(content),
    ];
    return visible(parts.filter((part) => part !== undefined && part !== '').join('  '));
  } catch {
    return visible(line);
  }
}

/** The text itself if it is not a time. */
function timeText(time: string): string {
  const timeMs = Date.parse(time);
  return Number.isNaN(timeMs) ? time : formatTime(timeMs);
}
