import type { Expected } from '../machine/receive.ts';
import type { WorkflowRun } from './workflow-run.ts';

/** A workflow that this process runs. */
export interface Running {
  readonly run: WorkflowRun;
  readonly takeOver: boolean;
  readonly file: string | undefined;
  /** What its parent has started, or is about to; undefined for one that was started by hand. */
  expected: Expected | undefined;
  loop: Promise<void>;
  /** Resolves when it has ended and everything that it committed is done. */
  readonly settled: Promise<void>;
  isSettled: boolean;
}
