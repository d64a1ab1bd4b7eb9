import type { AnyStateMachine } from 'xstate';
import { MailroomError } from '../errors.ts';
import { START } from '../machine/control.ts';
import type { Expected } from '../machine/receive.ts';
import type { WorkflowCall } from '../machine/workflow-state.ts';
import type { OutboxEntry } from './journal-record.ts';
import { openEntry } from './sealed-entry.ts';

/** What the parent's state says of a child that it waits for. */
export function expectedOf(parent: string, childId: string, { src, effectId }: WorkflowCall): Expected {
  return { parent: { address: parent, childId, src }, incarnation: effectId };
}

/** The machine that a parent has under this name. Throws MailroomError when its code has none. */
export function childMachine({ id, implementations }: AnyStateMachine, src: string): AnyStateMachine {
  const machine = implementations.actors[src] as AnyStateMachine | undefined;
  if (machine) return machine;
  throw new MailroomError('INVALID_INPUT', `The machine ${id} has no actor "${src}" any more.`);
}

/** What a START says of the child that it is for, where its parent's state no longer does; undefined for other mail. */
export function startIn(entry: OutboxEntry, parent: string): Expected | undefined {
  if (!entry.isControl || entry.type !== START) return undefined;
  const { src } = (openEntry(entry)?.message.data ?? {}) as { src?: unknown };
  if (typeof src !== 'string') return undefined;
  return { parent: { address: parent, childId: src, src }, incarnation: entry.effectId };
}
