import type { WorkflowState } from './workflow-state.ts';

/** What the other workflows of a tree know of one. */
export interface KinAt {
  /** The parent's address; undefined for a workflow that was started by hand. */
  readonly parent: string | undefined;
  /** Undefined until it is started. */
  readonly state: WorkflowState | undefined;
}

/**
 * Whether an address belongs to an ancestor of a workflow, or to a child that an ancestor waits for. These are the actors that
 * `system.get` finds in addition to the machine's own children, and to which their common ancestors forward an event.
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
