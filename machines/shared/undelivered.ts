import type { DeliveryFailed } from 'agent-mailroom/workflow';

/** A message of a machine that can never be delivered to somebody. */
export interface Undelivered {
  /** An address, or `all` for a broadcast that reached nobody. */
  readonly to: string;
  /** Of the message. */
  readonly type: string;
  /** A stable error code, such as ACTOR_NOT_FOUND. */
  readonly code: string;
}

/** What a failed delivery says, an entry for each recipient; nothing for any other event. */
export function undelivered(event: DeliveryFailed | { readonly type: string }): Undelivered[] {
  if (!isFailure(event)) return [];
  return event.to.split(', ').map((to) => ({ to, type: event.messageType, code: event.code }));
}

function isFailure(event: DeliveryFailed | { readonly type: string }): event is DeliveryFailed {
  return event.type === 'mailroom.delivery-failed';
}
