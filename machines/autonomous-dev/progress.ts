import type { Disagreement } from '../code-review/disagreement.ts';
import type { ChangesRequested } from '../code-review/events.ts';
import type { ReviewOutput } from '../code-review/progress.ts';
import type { Lapse } from '../work-distributor/board.ts';
import type { Decision } from './decision.ts';
import type { TestRun } from './test-run.ts';

export type Phase = 'readiness' | 'base-test' | 'research' | 'planning' | 'implementation' | 'testing' | 'delivery';

/** LoopProgress events for observers, emitted by the loop and its changes and therefore in their journals. */
export type LoopProgress =
  | { readonly type: 'phase'; readonly phase: Phase; readonly detail: string }
  | {
      readonly type: 'researched';
      readonly by: string | null;
      readonly findings: string;
      readonly messageId: string | null;
    }
  | {
      readonly type: 'planned';
      readonly source: string;
      /** Unknown keys of the plan, one text each. */
      readonly ignored?: readonly string[];
      readonly tasks: readonly { readonly id: string; readonly title: string; readonly dependsOn: readonly string[] }[];
    }
  | {
      readonly type: 'claimed';
      readonly taskId: string;
      readonly title: string;
      readonly agent: string;
      readonly epoch: number;
    }
  | {
      readonly type: 'handed-in';
      readonly taskId: string;
      readonly agent: string;
      readonly commit: string;
      readonly summary: string;
      readonly messageId: string;
    }
  | {
      readonly type: 'changes-requested';
      readonly taskId: string;
      readonly agent: string;
      readonly commit: string;
      readonly round: number;
      readonly issues: ChangesRequested['issues'];
    }
  | { readonly type: 'reviewed'; readonly taskId: string; readonly review: ReviewOutput }
  | { readonly type: 'disputed'; readonly taskId: string; readonly disagreements: readonly Disagreement[] }
  | { readonly type: 'decided'; readonly decision: Decision }
  /** The submission has no reviewer at the moment. */
  | { readonly type: 'waiting'; readonly taskId: string; readonly agent: string; readonly reason: string }
  | {
      readonly type: 'released';
      readonly taskId: string;
      readonly agent: string;
      readonly reason: string;
      readonly end?: Lapse['end'];
    }
  | {
      readonly type: 'merged';
      readonly taskId: string;
      readonly agent: string;
      readonly commit: string;
      readonly diffStat: string;
    }
  | { readonly type: 'conflict'; readonly taskId: string; readonly agent: string; readonly files: readonly string[] }
  /** `round`: how many fix rounds came before. */
  | ({ readonly type: 'tested'; readonly round: number } & TestRun)
  | { readonly type: 'pull-request-opened'; readonly url: string }
  | { readonly type: 'pull-request-failed'; readonly fault: string }
  | { readonly type: 'ended'; readonly outcome: string; readonly reason: string };

/** Types an object literal as a progress event. */
export function progress(one: LoopProgress): LoopProgress {
  return one;
}
