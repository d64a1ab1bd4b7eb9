import { inspect, types } from 'node:util';
import { findNonJson, withoutUndefined } from '../message/json-value.ts';

/** An event of XState that is JSON: a `type` and any further members. */
export type PlainEvent = {
  /** The type of the event. */
  readonly type: string;
} & Readonly<Record<string, unknown>>;

/** An error as JSON. */
export interface ErrorFacts {
  /** The name of the error's class. */
  readonly name: string;
  /** The text of the error. */
  readonly message: string;
  /** The `code` of the error, if it has one. */
  readonly code?: string;
}

/** The parent of a child workflow, and which of its children this is. */
export interface ParentRef {
  readonly address: string;
  readonly childId: string;
  /** The name of the child's logic among the parent's actors. */
  readonly src: string;
}

/** What a machine sees of a value that an activity threw: the value itself if it is JSON, otherwise its `ErrorFacts`. */
export function thrownAsJson(thrown: unknown): unknown {
  if (thrown === undefined) return undefined;
  if (types.isNativeError(thrown) || findNonJson(thrown) !== undefined) return errorFacts(thrown);
  return withoutUndefined(structuredClone(thrown));
}

export function errorFacts(error: unknown): ErrorFacts {
  if (typeof error !== 'object' || error === null) return { name: 'Error', message: String(error) };
  const { name, message, code } = error as { name?: unknown; message?: unknown; code?: unknown };
  return {
    name: typeof name === 'string' ? name : 'Error',
    message: typeof message === 'string' ? message : inspect(error, { breakLength: Infinity }),
    ...(typeof code === 'string' ? { code } : {}),
  };
}
