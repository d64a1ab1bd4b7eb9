const UNIT_MINUTES: Readonly<Record<string, number>> = { s: 1 / 60, m: 1, h: 60 };
const MINUTES_MAX = 24 * 60;

/** `90s 15m 2h` in minutes; undefined for anything else, for nothing, and for more than a day. */
export function parseMinutes(text: string): number | undefined {
  const [, number = '', unit = ''] = /^(\d{1,6})(s|m|h)$/.exec(text) ?? [];
  const minutes = Number(number) * (UNIT_MINUTES[unit] ?? Number.NaN);
  return minutes > 0 && minutes <= MINUTES_MAX ? minutes : undefined;
}

/** Minutes as a person writes them: `90s 15m 2h`. */
export function minutesText(minutes: number): string {
  const seconds = Math.round(minutes * 60);
  if (seconds % 3_600 === 0) return `${seconds / 3_600}h`;
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`;
}
