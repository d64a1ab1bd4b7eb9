import { InvalidInput } from '../errors.ts';
import { textOption, type Arguments } from './arguments.ts';
import { echo } from '../message/cut.ts';

const COUNT_MAX = 1_000_000;

/** The value of an option that is a number of things, from 1; undefined when it was not given. Throws `InvalidInput`. */
export function countOption(args: Arguments, name: string): number | undefined {
  const text = textOption(args, name);
  if (text === undefined) return undefined;
  const count = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= COUNT_MAX) return count;
  throw new InvalidInput(`--${name} is ${echo(text)}: expected a whole number from 1 to ${COUNT_MAX}.`);
}
