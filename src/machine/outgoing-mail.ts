import type { Outgoing } from './outgoing.ts';

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
