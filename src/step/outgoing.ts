import { InvalidInput } from '../errors.ts';
import { findNonJson } from '../message/json-value.ts';
import { assertExpiry } from '../room/draft.ts';
import type { Outgoing } from '../workflow/send.ts';

/** A message that a step sends, before it has an id. */
export interface OutgoingMail {
  readonly to: readonly string[];
  readonly draft: Outgoing;
  /** Between a workflow and its children: not counted against the rate limit. */
  readonly isControl: boolean;
  /** The child id of the ask whose question it is. */
  readonly ask?: string;
}

/** The same with the id that it is sent under, and that of the effect that it is. */
export type PlannedMail = OutgoingMail & { readonly id: string; readonly effectId: string };

/** What would fail at sealing fails the step instead, where its author sees it. */
export function checked(message: Outgoing): Outgoing {
  if (typeof message?.type !== 'string' || typeof message.content !== 'string') {
    throw new InvalidInput('A message needs a type and a content, both text.', {
      hint: "For example { type: 'INFO', content: 'done', data: { … } }.",
    });
  }
  const fault = findNonJson(message, 'message');
  if (fault) throw new InvalidInput(`A message cannot be sent as JSON without loss at ${fault}.`);
  assertExpiry(message.expiresInMs);
  return message;
}
