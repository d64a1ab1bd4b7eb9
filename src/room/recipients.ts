import { ActorNotFound, Conflict, InvalidInput } from '../errors.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { assertAddress, EVERYONE, newAddressLike } from '../message/address.ts';
import { nearest } from '../message/nearest.ts';
import { listAddresses, listCards, mailboxOf, type RoomContext } from './context.ts';
import type { Draft } from './draft.ts';
import { noMailbox } from './join.ts';

/** The mailbox of one recipient, live or not. Throws `InvalidInput` and, with the nearest name, `ActorNotFound`. */
export function recipientOf(context: RoomContext, address: string, draft: Draft): Mailbox {
  if (address === EVERYONE) {
    throw new InvalidInput('A message to one agent cannot go to all.', {
      hint: `Write to everybody with: mailroom broadcast ${draft.type} <content>`,
    });
  }
  assertAddress(address);
  const mailbox = mailboxOf(context, address);
  if (mailbox) return mailbox;
  const known = listAddresses(context);
  const error = known.includes(address) ? noMailbox(context, address) : notJoined(address, known);
  context.log.append({
    event: 'sent',
    to: address,
    type: draft.type,
    content: draft.content,
    outcome: 'failed',
    detail: error.message,
  });
  throw error;
}

function notJoined(address: string, known: readonly string[]): ActorNotFound {
  const near = nearest(address, known);
  return new ActorNotFound(
    `Nobody has joined this room as ${address}; ${known.length === 0 ? 'nobody has joined yet' : `joined so far: ${known.slice(0, 10).join(', ')}`}.`,
    {
      address,
      nearest: near,
      hint: near ? `Did you mean ${near}?` : `They join with: mailroom join ${newAddressLike(address)}`,
    },
  );
}

/**
 * The mailboxes of all recipients of a broadcast. Throws `ActorNotFound` if there are none, `Conflict` if there are too
 * many.
 */
export function audience(context: RoomContext, excluded: string | undefined): Mailbox[] {
  const cards = listCards(context).filter(
    (card) => card.leftAt === undefined && card.broadcasts && card.address !== excluded,
  );
  const mailboxes = cards.map((card) => mailboxOf(context, card.address)).filter((one) => one !== undefined);
  const max = context.config.limits.broadcastRecipientsMax;
  if (mailboxes.length === 0) {
    throw new ActorNotFound('A broadcast would reach nobody: no other agent has joined this room.', {
      address: EVERYONE,
      hint: 'See who is there: mailroom agents',
    });
  }
  if (mailboxes.length > max) {
    throw new Conflict(`A broadcast would go to ${mailboxes.length} agents, the limit is ${max}.`, {
      hint: 'Raise broadcastRecipientsMax in room.json.',
    });
  }
  return mailboxes;
}
