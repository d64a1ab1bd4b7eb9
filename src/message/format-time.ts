/**
 * The time as ISO 8601 in UTC with ms. As `toISOString`, of which the first call in a process looks up the time zone, longer than to
 * read several messages. Throws RangeError for what is no time.
 */
export function isoTime(timeMs: number): string {
  const date = new Date(timeMs);
  const year = date.getUTCFullYear();
  // Other years have another form.
  if (!(year >= 0 && year <= YEAR_MAX)) return date.toISOString();
  const day = `${padded(year, 4)}-${padded(date.getUTCMonth() + 1, 2)}-${padded(date.getUTCDate(), 2)}`;
  const minute = `${padded(date.getUTCHours(), 2)}:${padded(date.getUTCMinutes(), 2)}`;
  return `${day}T${minute}:${padded(date.getUTCSeconds(), 2)}.${padded(date.getUTCMilliseconds(), 3)}Z`;
}

const YEAR_MAX = 9999;

function padded(value: number, digits: number): string {
  return `${value}`.padStart(digits, '0');
}

/**
 * A time (ms since the epoch) for people, the same in every time zone: `2026-05-04 03:02:01Z`. Programs get ISO 8601.
 */
export function formatTime(timeMs: number): string {
  return `${isoTime(timeMs).replace('T', ' ').slice(0, -'.000Z'.length)}Z`;
}
