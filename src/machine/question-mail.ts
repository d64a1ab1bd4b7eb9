import type { AnyStateMachine } from 'xstate';
import { InvalidInput } from '../errors.ts';
import { EVERYONE } from '../message/address.ts';
import type { Ask } from './ask.ts';
import { checked, type OutgoingMail } from './outgoing-mail.ts';
import type { Outgoing } from './outgoing.ts';

/** The message that an ask sends. Throws InvalidInput where there is nobody to ask, or nothing to say. */
export function questionMail(
  { to, question }: Ask,
  {
    childId,
    input,
    effectId,
    machine,
  }: { childId: string; input: unknown; effectId: string; machine: AnyStateMachine },
): OutgoingMail {
  const recipient = typeof to === 'function' ? to(input) : to;
  if (typeof recipient !== 'string') {
    throw new InvalidInput(
      `The ask "${childId}" of the machine ${machine.id} has no address to ask: got ${typeof recipient}.`,
    );
  }
  if (recipient === EVERYONE) {
    throw new InvalidInput(
      `The ask "${childId}" of the machine ${machine.id} is put to all, and one is to answer it.`,
      {
        hint: 'Ask each by an invoke of its own, or broadcast, and accept what comes back as mail.',
      },
    );
  }
  const draft = checked(question ? question(input) : (input as Outgoing));
  // By its thread an answer that comes too late is still known to be one.
  return {
    to: [recipient],
    draft: { ...draft, threadId: draft.threadId ?? `ask:${effectId}` },
    isControl: false,
    ask: childId,
  };
}
