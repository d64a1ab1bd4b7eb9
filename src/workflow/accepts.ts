import type { z } from 'zod';
import { InvalidInput } from '../errors.ts';
import { findNonJson } from '../message/json-value.ts';
import { isMessageType } from '../message/message-type.ts';
import { CONTROL_TYPES } from './control.ts';
import { errorFacts } from './plain-facts.ts';

/** One mark for every copy of this package that a process may load. */
const ACCEPTS = Symbol.for('mailroom.accepts');

/** A message as a machine sees it: who sent it is verified, and `data` is what the schema of its type returned. */
export interface Received<TType extends string = string, TData = unknown> {
  readonly type: TType;
  /** The verified sender. */
  readonly from: string;
  readonly content: string;
  readonly messageId: string;
  readonly data: TData;
}

/** A message of this workflow that can never be delivered. */
export interface DeliveryFailed {
  readonly type: 'mailroom.delivery-failed';
  readonly messageId: string;
  readonly messageType: string;
  readonly to: string;
  /** A stable error code, such as ACTOR_NOT_FOUND. */
  readonly code: string;
  readonly reason: string;
}

export const DELIVERY_FAILED = 'mailroom.delivery-failed';

type Schemas = Readonly<Record<string, MailSchema>>;

/** The message types that a machine accepts; give it to `setup` as `schemas`. */
export interface Accepts<TSchemas extends Schemas = Schemas> {
  readonly [ACCEPTS]: TSchemas;
  /** Whether broadcasts are delivered to the workflow. */
  readonly broadcasts: boolean;
  /** The type of its events, for `types: { events: mail.events }`; there is no value. */
  readonly events:
    { [T in keyof TSchemas & string]: Received<T, OutputOf<TSchemas[T]>> }[keyof TSchemas & string] | DeliveryFailed;
}

/**
 * Declares the mail of a machine, by type, with a zod schema for the `data` of each:
 * `const mail = accepts({ VOTE: z.object({ option: z.string() }) })`, then `setup({ schemas: mail, types: { events:
 * mail.events } })`. Every other message becomes a dead letter. Throws InvalidInput for what can be no type.
 */
export function accepts<const TSchemas extends Schemas>(
  schemas: TSchemas,
  { broadcasts = false }: { readonly broadcasts?: boolean } = {},
): Accepts<TSchemas> {
  for (const type of Object.keys(schemas)) {
    if (!isMessageType(type)) {
      throw new InvalidInput(
        `accepts() names ${JSON.stringify(type)}: expected a message type of capitals, digits and single hyphens.`,
        { hint: 'For example VOTE or REVIEW-FEEDBACK.' },
      );
    }
    if (CONTROL_TYPES.has(type)) {
      throw new InvalidInput(
        `accepts() names ${type}, which is reserved for mail between a workflow and its children.`,
        {
          hint: `Choose a name other than ${[...CONTROL_TYPES].join(', ')}.`,
        },
      );
    }
  }
  return { [ACCEPTS]: schemas, broadcasts, events: undefined as never };
}

/** The mail that a machine declares; no schemas if it declares none. */
export function acceptedBy(machine: { readonly schemas: unknown }): { schemas: Schemas; broadcasts: boolean } {
  const { schemas } = machine;
  if (typeof schemas !== 'object' || schemas === null || !(ACCEPTS in schemas))
    return { schemas: {}, broadcasts: false };
  const declared = schemas as Accepts;
  return { schemas: declared[ACCEPTS], broadcasts: declared.broadcasts };
}

/** A schema of zod or zod/mini, without asynchronous parts. */
export type MailSchema = z.core.$ZodType & {
  safeParse(data: unknown): { readonly success: boolean; readonly data?: unknown; readonly error?: z.core.$ZodError };
};

export type OutputOf<TSchema extends MailSchema> = z.output<TSchema>;

const ISSUES_SHOWN_MAX = 3;

/**
 * The data as the schema returns it, or in one sentence what is wrong with it. A schema is code of the machine's author that
 * runs on data from any sender, so an error that it throws counts against this message and never ends the host.
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
      : { fault: `its schema returned a value at ${lost} that JSON cannot represent` };
  }
  const issues = parsed.error?.issues ?? [];
  const shown = issues.slice(0, ISSUES_SHOWN_MAX).map(({ path, message }) => `${pathOf(path)}: ${message}`);
  return { fault: shown.join('; ') || 'it does not fit the schema' };
}

function pathOf(path: readonly PropertyKey[]): string {
  return ['data', ...path.map(String)].join('.');
}
