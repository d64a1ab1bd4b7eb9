import type { z } from 'zod';
import { InvalidInput } from '../errors.ts';
import { findNonJson } from '../message/json-value.ts';
import { isMessageType } from '../message/message-type.ts';
import { CONTROL_TYPES } from './control.ts';
import { errorFacts } from '../errors.ts';

/** One mark for every copy of this package that a process may load. */
const ACCEPTS = Symbol.for('mailroom.accepts');

/** A message as an event of a machine. */
export interface Received<TType extends string = string, TData = unknown> {
  /** The message type, which is the type of the event. */
  readonly type: TType;
  /** The verified sender. */
  readonly from: string;
  /** Text for a reader. */
  readonly content: string;
  /** The id of the message. */
  readonly messageId: string;
  /** What the schema of this type returned for the message's `data`. */
  readonly data: TData;
}

/** The event of a machine whose message can never be delivered. A machine that does not handle it just continues. */
export interface DeliveryFailed {
  /** The type of the event. */
  readonly type: 'mailroom.delivery-failed';
  /** The id of the message. */
  readonly messageId: string;
  /** The type of the message. */
  readonly messageType: string;
  /** The address of the recipient. */
  readonly to: string;
  /** A stable error code, such as `ACTOR_NOT_FOUND`. */
  readonly code: string;
  /** Why, as a sentence. */
  readonly reason: string;
}

export const DELIVERY_FAILED = 'mailroom.delivery-failed';

type Schemas = Readonly<Record<string, MailSchema>>;

/** The message types that a machine accepts, for the `schemas` of `setup`. `accepts` makes it. */
export interface Accepts<TSchemas extends Schemas = Schemas> {
  /** @internal */
  readonly [ACCEPTS]: TSchemas;
  /** Whether broadcasts are delivered to the workflow. */
  readonly broadcasts: boolean;
  /** The type of the machine's events, for `types: { events: mail.events }`. At run time it is undefined. */
  readonly events:
    { [T in keyof TSchemas & string]: Received<T, OutputOf<TSchemas[T]>> }[keyof TSchemas & string] | DeliveryFailed;
}

/**
 * Declares the message types that a machine accepts, each with a zod schema for its `data`. A message of another type, or with
 * data that does not fit, becomes a dead letter.
 *
 * @param schemas A schema of zod or zod/mini by message type: capitals, digits and single hyphens.
 * @param options `broadcasts`: whether broadcasts are delivered to the workflow. Default: false.
 * @throws `InvalidInput` for a name that is not a message type or is reserved.
 *
 * @example
 * ```ts
 * import { accepts, reply } from 'agent-mailroom/workflow';
 * import { setup } from 'xstate';
 * import { z } from 'zod';
 *
 * const mail = accepts({ VOTE: z.object({ option: z.enum(['yes', 'no']) }) });
 *
 * export const machine = setup({ schemas: mail, types: { events: mail.events } }).createMachine({
 *   id: 'ballot',
 *   initial: 'open',
 *   states: {
 *     open: { on: { VOTE: { target: 'closed', actions: reply({ type: 'INFO', content: 'Counted.' }) } } },
 *     closed: { type: 'final' },
 *   },
 * });
 * ```
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
  /** Checks data and returns it as the schema transforms it, or the error. */
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
