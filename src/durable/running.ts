import { isKin, type KinAt } from '../machine/kin.ts';
import type { Expected } from '../machine/receive.ts';
import type { Openings } from './openings.ts';
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
 * Resolves when the workflow has ended and everything that it committed is done; and also by those that it has started, or that
 * these have, as far as they have begun.
 */
export async function settledWithAllBelow(
  address: string,
  { running, openings }: { readonly running: ReadonlyMap<string, Running>; readonly openings: Openings },
): Promise<void> {
  const isBelow = (one: string | undefined): boolean => {
    const parent = one === undefined ? undefined : running.get(one)?.expected?.parent.address;
    return parent !== undefined && (parent === address || isBelow(parent));
  };
  const leftBelow = (): Promise<void> | undefined => {
    // What an earlier host left undone is known of once it is open.
    const opened = openings.under((parent) => parent === address || isBelow(parent));
    if (opened) return opened;
    const left = [...running].find(([at, { run, settling }]) => run.state && !settling.isSettled && isBelow(at));
    return left?.[1].settling.settled();
  };
  let left = running.get(address)?.settling.settled();
  while (left) {
    await left;
    // What a FAILED workflow has started goes on, and may do so for long.
    if (running.get(address)?.run.state?.failed) return;
    left = leftBelow();
  }
}

/** `isKin`, of the workflows that this process runs. */
export function isKinHere(
  address: string,
  { of, running }: { readonly of: string; readonly running: ReadonlyMap<string, Running> },
): boolean {
  const at = (one: string): KinAt | undefined => {
    const { expected, run } = running.get(one) ?? {};
    return { parent: expected?.parent.address, state: run?.state };
  };
  return isKin(address, { of, at });
}
