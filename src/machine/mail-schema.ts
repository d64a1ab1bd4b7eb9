import type { z } from 'zod';

/** A schema of zod or zod/mini, without asynchronous parts. */
export type MailSchema = z.core.$ZodType & {
  safeParse(data: unknown): { readonly success: boolean; readonly data?: unknown; readonly error?: z.core.$ZodError };
};

export type OutputOf<TSchema extends MailSchema> = z.output<TSchema>;

const ISSUES_TOLD_MAX = 3;

/** The data as the schema returns it, or what is wrong with it in one sentence. */
export function parseData(schema: MailSchema, data: unknown): { readonly data: unknown } | { readonly fault: string } {
  const parsed = schema.safeParse(data);
  if (parsed.success) return { data: parsed.data };
  const issues = parsed.error?.issues ?? [];
  const told = issues.slice(0, ISSUES_TOLD_MAX).map(({ path, message }) => `${pathOf(path)}: ${message}`);
  return { fault: told.join('; ') || 'it does not fit the schema' };
}

function pathOf(path: readonly PropertyKey[]): string {
  return ['data', ...path.map(String)].join('.');
}
