import type { z } from 'zod';

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
