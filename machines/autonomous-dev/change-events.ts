import type { ChangesRequested } from '../code-review/events.ts';
import type { ReviewOutput } from '../code-review/progress.ts';
import type { ConsensusOutput } from '../consensus.ts';
import type { Decision } from './decision.ts';
import type { Checkout } from './repository.ts';

/** A commit that the agent has handed in. */
export interface Submission {
  readonly commit: string;
  readonly summary: string;
  readonly messageId: string;
  /** Changed files that the task does not name; missing where there are none. */
  readonly outside?: readonly string[];
}

/** Events from the loop to a change. */
export type ToChange =
  | ({ readonly type: 'SUBMITTED' } & {
      readonly commit: string | null;
      readonly summary: string;
      readonly messageId: string;
      /** Who may review it now, in the order of asking. */
      readonly agents: readonly string[];
    })
  | { readonly type: 'MERGED'; readonly commit: string }
  | { readonly type: 'CONFLICT'; readonly files: readonly string[]; readonly with: string }
  /** The agent no longer holds the task. */
  | { readonly type: 'RELEASED'; readonly reason: string };

/** Events from a change to the loop, without task and epoch. */
export type ChangeNotice =
  | { readonly type: 'READY'; readonly workspace: Checkout }
  | { readonly type: 'GO-ON'; readonly feedback: string }
  /** Author and reviewers disagree; the agent has nothing to do until the votes are over. */
  | { readonly type: 'PUT-TO-THE-VOTE' }
  | { readonly type: 'APPROVED'; readonly commit: string; readonly title: string; readonly agent: string }
  /** This claim cannot be finished; another agent may try. */
  | { readonly type: 'STUCK'; readonly reason: string }
  /** Who has reviewed or voted, and who missed the deadline of a review. */
  | { readonly type: 'ANSWERED'; readonly agents: readonly string[]; readonly silent: readonly string[] }
  /** Nobody reviewed the submission, although asked several times. The work may be good and must not be done again. */
  | { readonly type: 'STALLED'; readonly reason: string; readonly report: ChangeReport }
  /** The last event of a change. */
  | { readonly type: 'CHANGE-ENDED'; readonly report: ChangeReport };

/** Events from a change to the loop. */
export type FromChange = { readonly taskId: string; readonly epoch: number } & ChangeNotice;

/** A change in the report of a development. */
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
  /** The merge commit. */
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

/** All events of a change. */
export type ChangeEvent = ToChange | ChangesRequested | VoteEnded | VoteFailed;
