import { InvalidInput } from '../errors.ts';
import { findNonJson } from '../message/json-value.ts';
import { assertExpiry } from '../room/draft.ts';
import type { Outgoing } from '../workflow/send.ts';

/** A message that a step sends, with its recipients and without an id. */
export interface AddressedDraft {
  readonly to: readonly string[];
  readonly draft: Outgoing;
  /** Between a workflow and its children: not counted against the rate limit. */
  readonly isControl: boolean;
  /** The child id of the ask whose question it is. */
  readonly ask?: string;
}

/** The same with the message id, and the id of the effect that sends it. */
export type PlannedMessage = AddressedDraft & { readonly id: string; readonly effectId: string };

/** Checks a message at the step, where its author sees the error, and not only when it is sealed. Throws InvalidInput. */
export function checkedDraft(message: Outgoing): Outgoing {
  if (typeof message?.type !== 'string' || typeof message.content !== 'string') {
    throw new InvalidInput('A message needs a type and a content, both text.', {
      hint: "For example { type: 'INFO', content: 'done', data: { … } }.",
    });
  }
  const fault = findNonJson(message, 'message');
  if (fault) throw new InvalidInput(`A message has something at ${fault} that JSON cannot represent.`);
  assertExpiry(message.expiresInMs);
  return message;
}
