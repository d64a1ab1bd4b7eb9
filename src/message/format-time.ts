/**
 * A time (ms since the epoch) for people, the same in every time zone: `2026-05-04 03:02:01Z`. Programs get ISO 8601.
 */
export function formatTime(timeMs: number): string {
  return new Date(timeMs)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');
}
