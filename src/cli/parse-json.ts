import { InvalidInput } from '../errors.ts';
import { echo } from '../message/cut.ts';
import { findJsonFault } from '../message/json-faults.ts';
import { findInexactNumber } from '../message/exact-data.ts';

/**
 * The JSON that somebody typed, exactly. Throws `InvalidInput` for what is none, for what two readers could understand
 * differently, and for a number that would be another one as soon as it is read; `what` is its name, as in "--data".
 */
export function parseJson(text: string, { what, example }: { what: string; example: string }): unknown {
  const hint = `Quote it for the shell, for example: ${example}`;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new InvalidInput(`${what} is not JSON: ${(cause as Error).message}.`, { cause, hint });
  }
  const fault = findJsonFault(text, Infinity);
  if (fault) throw new InvalidInput(`${what} cannot be sent: ${fault}.`, { hint });
  const inexact = findInexactNumber(text);
  if (inexact === undefined) return value;
  const number = echo(inexact, 40).slice(1, -1);
  const read = String(Number(inexact));
  throw new InvalidInput(`${what} has the number ${number}, which most programs would read as ${read}.`, {
    hint: `Put quotes around the number: as a string it stays as it is.`,
  });
}
