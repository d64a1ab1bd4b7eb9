import { DELIVERY_FAILED, type DeliveryFailed } from '../machine/accepts.ts';
import { errorEvent, type Cause } from '../machine/cause.ts';
import { START, STOP } from '../machine/control.ts';
import type { WorkflowState } from '../machine/workflow-state.ts';
import type { OutboxEntry } from './journal-record.ts';
import type { Refused } from './outbox.ts';

/** What it is to the machine that a message of its can never be delivered: the error of the call it was for, or an event. */
export function undeliveredCause(entry: OutboxEntry, refused: readonly Refused[], state: WorkflowState): Cause {
  const { id: messageId, type } = entry;
  const to = refused.map((one) => one.to).join(', ');
  const error = refused[0]?.error ?? { name: 'Error', message: 'it was refused' };
  const call = Object.entries(state.calls).find(
    ([, one]) =>
      (one.kind === 'ask' && one.questionId === messageId) ||
      (one.kind === 'machine' && type === START && one.effectId === entry.effectId),
  )?.[0];
  if (call !== undefined) return { kind: 'undelivered', messageId, to, call, event: errorEvent(call, error) };
  const event: DeliveryFailed = {
    type: DELIVERY_FAILED,
    messageId,
    messageType: type,
    to,
    code: error.code ?? error.name,
    reason: error.message,
  };
  return { kind: 'undelivered', messageId, to, event: { ...event } };
}

/** A machine has not sent START and STOP itself, and does not hear of them where it no longer waits for the child. */
export function isHeardOf({ isControl, type }: OutboxEntry, cause: Cause): boolean {
  return 'call' in cause || !isControl || (type !== START && type !== STOP);
}
