import type { Cause } from '../machine/cause.ts';
import type { PlainEvent, WorkflowCall, WorkflowState } from '../machine/workflow-state.ts';
import { valueOf } from './describe-state.ts';
import type { SeenSnapshot } from './inspect-wire.ts';

interface Shown {
  readonly withContext?: boolean;
}

/** The session of what a workflow waits for: an address, or a name below its own that no address can be. */
export function sessionOf(address: string, childId: string, call: WorkflowCall): string {
  if (call.kind === 'machine') return call.address;
  return call.kind === 'ask' ? call.to : `${address}/${childId}`;
}

/** A workflow's state as the inspector shows it; what it remembers only when asked for. */
export function seenSnapshot(address: string, state: WorkflowState, { withContext = false }: Shown): SeenSnapshot {
  const { snapshot, output, failed } = state;
  // To XState an actor that throws is in error, whatever its snapshot was.
  const { status, error } = failed ? { status: 'error' as const, error: failed.failure } : state;
  const value = valueOf(snapshot);
  const children = Object.fromEntries(
    Object.entries(state.calls).map(([childId, call]) => [
      childId,
      { xstate$$type: 1 as const, id: sessionOf(address, childId, call) },
    ]),
  );
  return {
    status,
    ...(value === undefined ? {} : { value }),
    children,
    ...(error === undefined ? {} : { error }),
    ...(withContext ? { context: contextOf(snapshot), ...(output === undefined ? {} : { output }) } : {}),
  };
}

function contextOf(snapshot: unknown): unknown {
  return typeof snapshot === 'object' && snapshot !== null && 'context' in snapshot ? snapshot.context : undefined;
}

/**
 * The event that the machine took; none when a timer only sent a message, or an event was for another workflow. Messages are shown whole; what a machine is begun
 * with, and what children and activities return, is context on its way, so it is shown with the context only.
 */
export function seenEvent(cause: Cause, { withContext = false }: Shown): PlainEvent | undefined {
  if (cause.kind === 'start') return { type: 'xstate.init', ...(withContext ? { input: cause.input } : {}) };
  const event = 'event' in cause ? cause.event : undefined;
  if (!event || withContext || (cause.kind !== 'ended' && cause.kind !== 'result')) return event;
  const { output: _output, ...shown } = event;
  return { ...shown, type: event.type };
}
