/** A time (ms since the epoch) for people, the same wherever it is read: `2026-05-04 03:02:01Z`. Programs are given ISO 8601. */
export function formatTime(timeMs: number): string {
  return new Date(timeMs)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');
}
