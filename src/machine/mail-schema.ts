import type { z } from 'zod';
import { findNonJson } from '../message/json-value.ts';
import { errorFacts } from './plain-facts.ts';

/** A schema of zod or zod/mini, without asynchronous parts. */
export type MailSchema = z.core.$ZodType & {
  safeParse(data: unknown): { readonly success: boolean; readonly data?: unknown; readonly error?: z.core.$ZodError };
};

export type OutputOf<TSchema extends MailSchema> = z.output<TSchema>;

const ISSUES_TOLD_MAX = 3;

/**
 * The data as the schema returns it, or what is wrong with it in one sentence. A schema is code of the machine's author that
 * meets what anybody may send, so what it throws is a fault of this message and never ends the host.
 */
export function parseData(schema: MailSchema, data: unknown): { readonly data: unknown } | { readonly fault: string } {
  let parsed: ReturnType<MailSchema['safeParse']>;
  try {
    parsed = schema.safeParse(data);
  } catch (error) {
    return { fault: `its schema threw ${errorFacts(error).message}` };
  }
  if (parsed.success) {
    const lost = parsed.data === undefined ? undefined : findNonJson(parsed.data, 'data');
    return lost === undefined
      ? { data: parsed.data }
      : { fault: `its schema returned something at ${lost} that JSON cannot keep` };
  }
  const issues = parsed.error?.issues ?? [];
  const told = issues.slice(0, ISSUES_TOLD_MAX).map(({ path, message }) => `${pathOf(path)}: ${message}`);
  return { fault: told.join('; ') || 'it does not fit the schema' };
}

function pathOf(path: readonly PropertyKey[]): string {
  return ['data', ...path.map(String)].join('.');
}
