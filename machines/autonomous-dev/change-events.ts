import type { ChangesRequested } from '../code-review/events.ts';
import type { ReviewOutput } from '../code-review/progress.ts';
import type { ConsensusOutput } from '../consensus.ts';
import type { Decision } from './decision.ts';
import type { Checkout } from './repository.ts';

/** A commit that was handed in. */
export interface Submission {
  readonly commit: string;
  readonly summary: string;
  readonly messageId: string;
}

/** What the loop tells it. */
export type ToChange =
  | ({ readonly type: 'SUBMITTED' } & {
      readonly commit: string | null;
      readonly summary: string;
      readonly messageId: string;
      /** Who may review it now, in this order. */
      readonly agents: readonly string[];
    })
  | { readonly type: 'MERGED'; readonly commit: string }
  | { readonly type: 'CONFLICT'; readonly files: readonly string[]; readonly with: string }
  /** The agent has the task no more. */
  | { readonly type: 'RELEASED'; readonly reason: string };

/** What it has to say to the loop. */
export type WordOfChange =
  | { readonly type: 'READY'; readonly workspace: Checkout }
  | { readonly type: 'GO-ON'; readonly feedback: string }
  /** They disagree; the agent has nothing to do until it is decided. */
  | { readonly type: 'PUT-TO-THE-VOTE' }
  | { readonly type: 'APPROVED'; readonly commit: string; readonly title: string; readonly agent: string }
  /** It cannot be finished this way: somebody else may try. */
  | { readonly type: 'STUCK'; readonly reason: string }
  /** Who has reviewed or voted, and who has let the time for a review pass. */
  | { readonly type: 'ANSWERED'; readonly agents: readonly string[]; readonly silent: readonly string[] }
  /** Nobody has reviewed what was handed in, however often they were asked. It is good work that must not be done again. */
  | { readonly type: 'STALLED'; readonly reason: string; readonly report: ChangeReport }
  /** Its last word. */
  | { readonly type: 'CHANGE-ENDED'; readonly report: ChangeReport };

/** What it tells the loop, always with its task and epoch. */
export type FromChange = { readonly taskId: string; readonly epoch: number } & WordOfChange;

/** What is left of a change for the report. */
export interface ChangeReport {
  readonly taskId: string;
  readonly title: string;
  readonly agent: string;
  readonly epoch: number;
  readonly outcome: 'merged' | 'released' | 'stuck';
  readonly submissions: readonly Submission[];
  readonly reviews: readonly ReviewOutput[];
  readonly decisions: readonly Decision[];
  readonly conflicts: number;
  /** The merge. */
  readonly merge: string | null;
}

/** A vote has ended. */
export interface VoteEnded {
  readonly type: `xstate.done.actor.vote-${string}`;
  readonly actorId: string;
  readonly output: ConsensusOutput;
}

export interface VoteFailed {
  readonly type: `xstate.error.actor.vote-${string}`;
  readonly error: unknown;
}

/** What happens to it. */
export type Event = ToChange | ChangesRequested | VoteEnded | VoteFailed;
