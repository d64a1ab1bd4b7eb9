import type { ActorRef, EventObject, Snapshot } from 'xstate';
import { InvalidInput } from '../errors.ts';
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
  const addresses: unknown = typeof to === 'string' ? [to] : to;
  if (!isTexts(addresses)) {
    throw new InvalidInput(`A message was to go to ${kindOf(addresses)}: expected an address, or a list of them.`, {
      hint: 'For example tell("alice", …), or tell(({ context }) => context.reviewers, …).',
    });
  }
  const id = addresses.join(',');
  const inert = {
    [ADDRESS]: addresses,
    id,
    sessionId: id,
    ref: undefined,
    send: () => {
      throw new TypeError(`${id} is an address: send to it with tell(), in an action`);
    },
    getSnapshot: () => {
      throw new InvalidInput(`A machine looked at the snapshot of ${id}, which a durable step cannot see.`, {
        hint: 'Have it send what is needed, as an event or as mail.',
      });
    },
    toJSON: () => ({ address: id }),
  };
  // Only what a step touches is there; XState itself never runs it.
  return inert as unknown as MailRef;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function kindOf(value: unknown): string {
  const wrong: unknown = Array.isArray(value) ? value.find((one) => typeof one !== 'string') : value;
  const kind = wrong === null ? 'null' : typeof wrong;
  return Array.isArray(value) ? `a list with ${kind} in it` : kind;
}

/** The addresses of a reference made by `mailRef`; undefined for any other. */
export function addressesOf(ref: unknown): readonly string[] | undefined {
  return typeof ref === 'object' && ref !== null && ADDRESS in ref ? (ref as MailRef)[ADDRESS] : undefined;
}
