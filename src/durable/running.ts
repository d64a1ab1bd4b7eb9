import type { Expected } from '../machine/receive.ts';
import type { Settling } from './settling.ts';
import type { WorkflowRun } from './workflow-run.ts';

/** A workflow that this process runs. */
export interface Running {
  readonly run: WorkflowRun;
  readonly takeOver: boolean;
  readonly file: string | undefined;
  /** What its parent has started, or is about to; undefined for one that was started by hand. */
  expected: Expected | undefined;
  loop: Promise<void>;
  /** Whether it has ended and everything that it committed is done. */
  readonly settling: Settling;
}

/**
 * One of those that a workflow has started, or that these have, which has begun and not ended, or has something left to do;
 * undefined when there is none.
 */
export function unsettledBelow(all: ReadonlyMap<string, Running>, address: string): Running | undefined {
  const isBelow = (one: Running | undefined): boolean => {
    const parent = one?.expected?.parent.address;
    return parent !== undefined && (parent === address || isBelow(all.get(parent)));
  };
  return [...all.values()].find((one) => one.run.state && !one.settling.isSettled && isBelow(one));
}
