import type { ActorRef, EventObject, Snapshot } from 'xstate';
import type { Outgoing } from './outgoing.ts';

/** One mark for every copy of this package that a process may load. */
const ADDRESS = Symbol.for('mailroom.mail-ref');
/** What `reply` sends to: whoever sent the message that caused the step. No actor can have it as an address. */
export const ASKER = '@reply';
/** The type of the event that carries outgoing mail to the pure step. It is never delivered as such. */
export const MAIL_EVENT = 'mailroom.mail';

export interface MailEvent extends EventObject {
  readonly type: typeof MAIL_EVENT;
  readonly message: Outgoing;
}

/** A reference to whoever has an address. It is inert: what is sent to it becomes an effect of the step. */
export interface MailRef extends ActorRef<Snapshot<unknown>, MailEvent> {
  readonly [ADDRESS]: readonly string[];
}

export function mailRef(to: string | readonly string[]): MailRef {
  const addresses = typeof to === 'string' ? [to] : to;
  const id = addresses.join(',');
  const inert = {
    [ADDRESS]: addresses,
    id,
    sessionId: id,
    ref: undefined,
    send: () => {
      throw new TypeError(`${id} is an address: send to it with tell(), in an action`);
    },
    getSnapshot: () => ({ status: 'active' }),
    toJSON: () => ({ address: id }),
  };
  // Only what a step touches is there; XState itself never runs it.
  return inert as unknown as MailRef;
}

/** The addresses of a reference made by `mailRef`; undefined for any other. */
export function addressesOf(ref: unknown): readonly string[] | undefined {
  return typeof ref === 'object' && ref !== null && ADDRESS in ref ? (ref as MailRef)[ADDRESS] : undefined;
}
