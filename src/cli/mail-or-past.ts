import { MessageNotFound } from '../errors.ts';
import { inspect } from '../mailbox/inspect.ts';
import { messageFileName } from '../message/layout.ts';
import type { Message } from '../message/message.ts';
import type { Agent } from '../room/agent.ts';
import { mailboxOf } from '../room/context.ts';
import { findMail } from '../room/find-mail.ts';
import type { Mail } from '../room/mail.ts';
import type { Room } from '../room/room.ts';

export interface Found {
  readonly message: Message;
  /** The claim on it; undefined for a message that was acknowledged before. */
  readonly mail: Mail | undefined;
  /** Whether it was claimed before this command. */
  readonly wasHeld: boolean;
}

/** One message of the agent's own mailbox by its id: claimed, or, if it was dealt with already, only looked at. */
export async function mailOrPast(agent: Agent, room: Room, id: string, leaseMs?: number): Promise<Found> {
  const mailbox = mailboxOf(room.context, agent.address);
  const found = mailbox && findMail(mailbox, id);
  if (mailbox && found?.state === 'acknowledged') {
    const inspected = inspect(mailbox, { path: found.path, name: messageFileName(found) });
    if (inspected && 'message' in inspected) return { message: inspected.message, mail: undefined, wasHeld: false };
    throw new MessageNotFound(`The message ${found.id} can no longer be read at ${found.path}.`, {
      hint: 'See what the room knows of it: mailroom log',
    });
  }
  const mail = await agent.claim(id, { leaseMs });
  return { message: mail.message, mail, wasHeld: found?.state === 'claimed' };
}
