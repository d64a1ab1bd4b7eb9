import { InvalidInput } from '../errors.ts';
import { echo } from '../message/cut.ts';
import { type Arguments, textOption } from './arguments.ts';

const COUNT_MAX = 1_000_000;

/** The value of an option that is a count, at least 1; undefined if it was not given. Throws `InvalidInput`. */
export function countOption(args: Arguments, name: string): number | undefined {
  const text = textOption(args, name);
  if (text === undefined) return undefined;
  const count = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= COUNT_MAX) return count;
  throw new InvalidInput(`--${name} is ${echo(text)}: expected a whole number from 1 to ${COUNT_MAX}.`);
}

/** The parts of a value such as `a,b`; undefined if there is no value. */
export function listOption(text: string | undefined): string[] | undefined {
  return text
    ?.split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** Node's timers are limited to 2^31 ms. */
export const WAIT_MS_MAX = 20 * 86_400_000;

/** `500ms 30s 5m 2h 1d` in ms. Throws `InvalidInput` for anything else, or more than `msMax`. */
export function parseDuration(text: string, { option, msMax }: { option: string; msMax: number }): number {
  const match = /^(\d{1,12})(ms|s|m|h|d)$/.exec(text);
  const ms = match ? Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? Number.NaN) : Number.NaN;
  if (ms >= 0 && ms <= msMax) return ms;
  throw new InvalidInput(
    `--${option} is ${echo(text)}: expected a number with its unit, such as 500ms 30s 5m 2h 1d, at most ${formatDuration(msMax)}.`,
  );
}

/** A duration in its largest unit, rounded down: `0s 59s 3m 2h 5d`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
