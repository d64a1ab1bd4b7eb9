import { fromJSONSchema, type z } from 'zod';
import { runBounded } from '../host/bounded-run.ts';
import { cut } from '../message/cut.ts';
import { findJsonFault } from '../message/json-faults.ts';
import { findInexactNumber } from '../message/exact-data.ts';

/** How long a check may take; a regular expression in a schema can make it take forever. */
const CHECK_MS_MAX = 2_000;
const FAULTS_MAX = 10;
const FAULT_CHARS_MAX = 300;
const NUMBER_CHARS_MAX = 40;
/** How many fenced blocks of a text are tried, the last first, and how many characters from its end are searched. */
const BLOCKS_MAX = 20;
const BLOCKS_CHARS_MAX = 1_000_000;

/** Checks answers against a JSON Schema. */
export type CheckData = (text: string) => { readonly data: unknown } | { readonly faults: readonly string[] };

/** Compiles the schema of a question into a check, or says why that is impossible. */
export function createCheck(schema: unknown): { readonly check: CheckData } | { readonly unusable: string } {
  if (typeof schema !== 'boolean' && (typeof schema !== 'object' || schema === null || Array.isArray(schema))) {
    return { unusable: `it is ${JSON.stringify(schema)}, expected an object` };
  }
  let made: { readonly value: z.ZodType } | undefined;
  try {
    made = runBounded(() => fromJSONSchema(schema as Parameters<typeof fromJSONSchema>[0]), CHECK_MS_MAX);
  } catch (error) {
    return { unusable: error instanceof Error ? error.message : String(error) };
  }
  if (!made) return { unusable: `it took longer than ${CHECK_MS_MAX} ms to understand` };
  const { value } = made;
  return { check: (text) => checkText(text, value) };
}

function checkText(text: string, schema: z.ZodType): ReturnType<CheckData> {
  const values = jsonIn(text);
  if (values.length === 0) return { faults: ['There is no JSON in it, neither alone nor in a fenced block.'] };
  let faults: readonly string[] = [];
  for (const { value, fault } of values) {
    const found = fault === undefined ? faultsOf(value, schema) : [fault];
    if (found.length === 0) return { data: value };
    // Reports the faults of the last block, which is most likely the one that was meant.
    if (faults.length === 0) faults = found;
  }
  return { faults };
}

function faultsOf(value: unknown, schema: z.ZodType): string[] {
  const parsed = runBounded(() => schema.safeParse(value), CHECK_MS_MAX);
  if (!parsed) return [`The check against the schema took longer than ${CHECK_MS_MAX} ms.`];
  if (parsed.value.success) return [];
  return parsed.value.error.issues.slice(0, FAULTS_MAX).map(({ path, message }) => {
    const where = path.length === 0 ? 'The whole' : `At ${path.map(String).join('.')}`;
    return cut(`${where}: ${message}`, { charsMax: FAULT_CHARS_MAX });
  });
}

const BLOCK = /^[ \t]*(`{3,}|~{3,})[^\n`]*\n([\s\S]*?)^[ \t]*\1[ \t]*$/gm;

/** The JSON documents in a text: the text itself if it is one, else its fenced blocks that are, the last first. */
function jsonIn(text: string): ParsedReply[] {
  const whole = parseReply(text);
  if (whole) return [whole];
  const blocks = [...text.slice(-BLOCKS_CHARS_MAX).matchAll(BLOCK)].slice(-BLOCKS_MAX).reverse();
  return blocks.flatMap((block) => {
    const parsed = parseReply(block[2] ?? '');
    return parsed ? [parsed] : [];
  });
}

interface ParsedReply {
  readonly value: unknown;
  /** Why the value differs from what was written; undefined if it does not. */
  readonly fault: string | undefined;
}

/** Parses the JSON that a program wrote; undefined if it is not JSON. */
export function parseReply(text: string): ParsedReply | undefined {
  try {
    return { value: JSON.parse(text) as unknown, fault: lossIn(text) };
  } catch {
    return undefined;
  }
}

function lossIn(text: string): string | undefined {
  const inexact = findInexactNumber(text);
  if (inexact === undefined) return findJsonFault(text, Infinity);
  return `The number ${cut(inexact, { charsMax: NUMBER_CHARS_MAX })} has more digits than can be kept: write it as a string.`;
}
