import type { AnyActorRef } from 'xstate';

/**
 * Whether a machine runs as a child of another one: invoked or spawned, and not by hand.
 *
 * @param self The `self` that XState gives to actions, guards and the context's factory.
 *
 * @example
 * ```ts
 * import { isChild } from 'agent-mailroom/workflow';
 * import { setup } from 'xstate';
 *
 * export const machine = setup({ types: { context: {} as { reportsToParent: boolean } } }).createMachine({
 *   id: 'review',
 *   context: ({ self }) => ({ reportsToParent: isChild(self) }),
 * });
 * ```
 */
export function isChild(self: AnyActorRef): boolean {
  return self['_parent'] !== undefined;
}
