import { InvalidInput } from '../errors.ts';
import { echo } from '../message/cut.ts';
import { findJsonFault } from '../message/json-faults.ts';
import { findInexactNumber } from '../message/exact-data.ts';

/**
 * Parses JSON that a person typed. Throws `InvalidInput` for invalid JSON, for JSON that two parsers could understand
 * differently, and for a number that changes when it is parsed. `what` names the input in errors, as in "--data".
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
