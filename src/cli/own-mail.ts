import { Conflict, MessageNotFound } from '../errors.ts';
import { readVerified } from '../mailbox/find.ts';
import { messageFileName } from '../message/layout.ts';
import type { Message } from '../message/message.ts';
import { visible } from '../message/visible.ts';
import type { Agent } from '../room/agent.ts';
import { mailboxOf } from '../room/context.ts';
import { findMail } from '../room/find-mail.ts';
import type { Mail } from '../room/mail.ts';
import { contextOf, type Room } from '../room/room.ts';
import type { Call } from './command.ts';
import { EXIT_OK } from './exit-code.ts';
import { shortId } from './print/mail.ts';

export interface OwnMail {
  readonly message: Message;
  /** The claim on the message; undefined if it was acknowledged before. */
  readonly mail: Mail | undefined;
  /** Whether it was claimed before this command. */
  readonly wasHeld: boolean;
}

/** Finds a message of the agent's own mailbox by its id, and claims it unless it is already acknowledged. */
export async function claimOrReadAcknowledged(
  agent: Agent,
  room: Room,
  id: string,
  leaseMs?: number,
): Promise<OwnMail> {
  const mailbox = mailboxOf(contextOf(room), agent.address);
  const found = mailbox && findMail(mailbox, id);
  if (mailbox && found?.state === 'acknowledged') {
    const read = readVerified(mailbox, { path: found.path, name: messageFileName(found) });
    if (read && 'message' in read) return { message: read.message, mail: undefined, wasHeld: false };
    throw new MessageNotFound(`The message ${found.id} can no longer be read at ${found.path}.`, {
      hint: 'See what happened to it: mailroom log',
    });
  }
  const mail = await agent.claim(id, { leaseMs });
  return { message: mail.message, mail, wasHeld: found?.state === 'claimed' };
}

/** The claim of a message that the agent holds, whichever of its commands claimed it. Throws `Conflict` if it does not hold it. */
export async function claimHeld(agent: Agent, room: Room, idEnding: string): Promise<Mail> {
  const mailbox = mailboxOf(contextOf(room), agent.address);
  const found = mailbox && findMail(mailbox, idEnding);
  if (found && found.state !== 'claimed') {
    const isSettled = found.state === 'acknowledged' || found.state === 'dead';
    throw new Conflict(`The message ${found.id} of ${agent.address} is ${found.state}, not claimed.`, {
      hint: isSettled
        ? `See more: mailroom status ${shortId(found.id)}`
        : `To claim it: mailroom read ${shortId(found.id)} --hold`,
    });
  }
  return agent.claim(idEnding);
}

export interface Settled {
  readonly id: string;
  /** Its new state: `acknowledged`, `released` … */
  readonly state: string;
  readonly detail?: string;
}

/** Does the work for every given id, even if it fails for some; then throws the first error, if there was one. */
export async function eachId(call: Call, work: (id: string) => Promise<Settled>): Promise<number> {
  const settled: Settled[] = [];
  const errors: unknown[] = [];
  for (const id of call.args.operands) {
    try {
      settled.push(await work(id));
    } catch (error) {
      errors.push(error);
    }
  }
  if (call.isJson) await call.output.report({ json: settled });
  else {
    const lines = settled.map(
      ({ id, state, detail }) => `${[state, id.slice(-8), detail].filter(Boolean).join('  ')}\n`,
    );
    await call.output.report({ text: lines.join('') });
  }
  if (errors.length === 0) return EXIT_OK;
  for (const error of errors.slice(1)) {
    await call.output.talk(`mailroom: ${visible(error instanceof Error ? error.message : String(error))}\n`);
  }
  throw errors[0];
}
