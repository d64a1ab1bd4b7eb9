import { Conflict } from '../errors.ts';
import type { Agent } from '../room/agent.ts';
import { mailboxOf } from '../room/context.ts';
import { findMail } from '../room/find-mail.ts';
import type { Mail } from '../room/mail.ts';
import type { Room } from '../room/room.ts';
import { shortId } from './show-message.ts';

/** A message that the agent holds, whichever of its commands claimed it. Throws `Conflict` for one that it does not hold. */
export async function heldByMe(agent: Agent, room: Room, idEnding: string): Promise<Mail> {
  const mailbox = mailboxOf(room.context, agent.address);
  const found = mailbox && findMail(mailbox, idEnding);
  if (found && found.state !== 'claimed') {
    const isOver = found.state === 'acknowledged' || found.state === 'dead';
    throw new Conflict(`The message ${found.id} of ${agent.address} is ${found.state}, not claimed.`, {
      hint: isOver
        ? `See more: mailroom status ${shortId(found.id)}`
        : `To claim it: mailroom read ${shortId(found.id)} --hold`,
    });
  }
  return agent.claim(idEnding);
}
