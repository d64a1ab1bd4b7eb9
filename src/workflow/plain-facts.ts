import { types } from 'node:util';
import { findNonJson, withoutUndefined } from '../message/json-value.ts';
import { errorFacts } from '../errors.ts';

/** An event of XState that is JSON: a `type` and any further members. */
export type PlainEvent = {
  /** The type of the event. */
  readonly type: string;
} & Readonly<Record<string, unknown>>;

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
