import type { WorkflowState } from './workflow-state.ts';

/** A workflow as its family knows it. */
export interface KinAt {
  /** Its parent's address; undefined for one that was started by hand. */
  readonly parent: string | undefined;
  /** Undefined until it is started. */
  readonly state: WorkflowState | undefined;
}

/**
 * Whether an ancestor of a workflow, or a child that one of them waits for, has an address. This is what `system.get` finds
 * beyond the machine's own children, and where their common ancestors pass an event on to.
 */
export function isKin(
  address: string,
  { of, at }: { readonly of: string; readonly at: (address: string) => KinAt | undefined },
): boolean {
  const parent = at(of)?.parent;
  const state = parent === undefined ? undefined : at(parent)?.state;
  if (parent === undefined || state?.status !== 'active') return false;
  if (parent === address) return true;
  const isChild = Object.values(state.calls).some((call) => call.kind === 'machine' && call.address === address);
  return isChild || isKin(address, { of: parent, at });
}
