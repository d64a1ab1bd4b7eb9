import type { AnyStateMachine } from 'xstate';
import { InvalidInput } from '../errors.ts';
import type { Cause } from './cause.ts';
import { EVENT } from '../workflow/control.ts';
import type { EventTarget } from './effect.ts';
import type { AddressedDraft } from './outgoing.ts';
import type { PlainEvent, WorkflowCall, WorkflowState } from './workflow-state.ts';

interface EventSender {
  readonly machine: AnyStateMachine;
  readonly state: WorkflowState;
  /** The calls as the step has left them so far. */
  readonly calls: Readonly<Record<string, WorkflowCall>>;
}

/**
 * The mail that carries an event to the parent, to a running child, or by way of the parent to an actor that `system.get` found.
 * Throws InvalidInput if the target is none of these.
 */
export function eventMail(
  target: EventTarget,
  event: PlainEvent,
  { state, calls, machine }: EventSender,
): AddressedDraft {
  if (event.type.startsWith('xstate.')) {
    throw new InvalidInput(
      `The machine ${machine.id} sends the event ${event.type}, which only XState itself may send.`,
      { hint: 'Choose another name for it.' },
    );
  }
  const { parent, incarnation } = state;
  if ('parent' in target && parent) return carrying(event, parent.address, { incarnation });
  const call = 'childId' in target ? calls[target.childId] : undefined;
  if (call?.kind === 'machine') return carrying(event, call.address, { incarnation: call.effectId });
  // A workflow accepts events only from its parent and its children, so the event goes by way of the ancestors.
  if ('systemId' in target && parent) return carrying(event, parent.address, { incarnation, to: target.systemId });
  const to = 'childId' in target ? target.childId : 'systemId' in target ? target.systemId : 'its parent';
  throw new InvalidInput(
    `The machine ${machine.id} sends ${event.type} to ${to}, which is neither its parent nor a running child machine.`,
    { hint: 'To reach any other actor of the room, use tell(address, { type, content, data }).' },
  );
}

/** The mail that forwards a child's event: to another child, or up to the parent; undefined if nobody has that address. */
export function relayMail(
  { to, relayed }: Cause & { kind: 'relay' },
  { calls, parent, incarnation }: WorkflowState,
): AddressedDraft | undefined {
  const child = Object.values(calls).find((one) => one.kind === 'machine' && one.address === to);
  if (child) return carrying(relayed, to, { incarnation: child.effectId });
  return parent && carrying(relayed, parent.address, { incarnation, to });
}

function carrying(event: PlainEvent, to: string, about: { incarnation: string; to?: string }): AddressedDraft {
  return { to: [to], draft: { type: EVENT, content: event.type, data: { ...about, event } }, isControl: true };
}
