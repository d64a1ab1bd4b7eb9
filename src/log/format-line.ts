import { visible } from '../message/visible.ts';
import type { LogRecord } from './event-log.ts';

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
      time,
      event.padEnd(12),
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
