import { z } from 'zod';

/**
 * The input of a machine, checked and completed by its schema. Throws a TypeError that lists all faults on one line, with an
 * example.
 */
export function parseInput<TSchema extends z.ZodType>(
  schema: TSchema,
  input: unknown,
  { what, example }: { readonly what: string; readonly example: string },
): z.output<TSchema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${['input', ...path].join('.')}: ${message}`);
  throw new TypeError(`Invalid ${what}: ${faults.join('; ')}. Expected, for example: ${example}`);
}

const ADDRESS_CHARS_MAX = 120;
const ADDRESS = /^(?!(?:all|system)$)[a-z0-9][a-z0-9_-]*(?:\.[a-z0-9][a-z0-9_-]*)*$/;

/** The address of one actor in the input of a machine. */
export const actorAddress = z.string().max(ADDRESS_CHARS_MAX).regex(ADDRESS, 'expected an address');

/** The text of an error as a machine gets it: `{ name, message }`, because it has passed through JSON. */
export function faultText(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  const { name, message } = error as { readonly name?: unknown; readonly message?: unknown };
  if (typeof message !== 'string') return JSON.stringify(error);
  return typeof name === 'string' && name !== 'Error' ? `${name}: ${message}` : message;
}
