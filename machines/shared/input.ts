import { z } from 'zod';

/**
 * The input of a machine as its schema completes it. Throws a TypeError that says on one line what is wrong with it, and
 * what it should look like.
 */
export function parseInput<TSchema extends z.ZodType>(
  schema: TSchema,
  input: unknown,
  { what, example }: { readonly what: string; readonly example: string },
): z.output<TSchema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${['input', ...path].join('.')}: ${message}`);
  throw new TypeError(`This is no ${what}: ${faults.join('; ')}. A ${what} is ${example}`);
}

const ADDRESS_CHARS_MAX = 120;
const ADDRESS = /^(?!(?:all|system)$)[a-z0-9][a-z0-9_-]*(?:\.[a-z0-9][a-z0-9_-]*)*$/;

/** The address of one actor, as it stands in the input of a machine. */
export const actorAddress = z.string().max(ADDRESS_CHARS_MAX).regex(ADDRESS, 'expected an address');

/** What is wrong, in the words of an error as a machine gets it: `{ name, message }`, since it has survived JSON. */
export function faultText(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  const { name, message } = error as { readonly name?: unknown; readonly message?: unknown };
  if (typeof message !== 'string') return JSON.stringify(error);
  return typeof name === 'string' && name !== 'Error' ? `${name}: ${message}` : message;
}
