import type { AnyStateMachine } from 'xstate';
import { Journal } from '../journal/journal.ts';
import { readJournalState } from '../journal/read.ts';
import type { Durability, Mailbox } from '../mailbox/mailbox.ts';
import { isLive, readCard } from '../room/card.ts';
import { mailboxOf, type RoomContext } from '../room/context.ts';
import { joinRoom } from '../room/join.ts';
import { lastSeenMs } from '../room/signs-of-life.ts';
import { machineHash } from '../step/machine-hash.ts';
import type { ExpectedStart } from '../step/receive.ts';
import { acceptedBy } from '../workflow/accepts.ts';

export interface TakeAddress {
  readonly machine: AnyStateMachine;
  readonly address: string;
  /** Take the workflow from a live host; a child only if the same parent had started it there. */
  readonly takeOver: boolean;
  /** The file from which the machine was loaded. */
  readonly file?: string | undefined;
  /** For a child: which parent may start it, and as which incarnation. */
  readonly expected?: ExpectedStart | undefined;
}

/**
 * Takes an address for a workflow that this process runs: its mailbox and card, and its journal, which fences every other host.
 * Throws Conflict if a live host or agent has the address.
 */
export async function takeAddress(
  context: RoomContext,
  { machine, address, file, expected, ...options }: TakeAddress,
  durability: Durability,
): Promise<{ readonly mailbox: Mailbox; readonly journal: Journal }> {
  // A takeover of a workflow must not take the address of an agent that has the name of a child.
  const takeOver = options.takeOver && (!expected || isChildOf(context, address, expected.parent.address));
  const seenMs = lastSeenMs(context, address);
  const { schemas, broadcasts } = acceptedBy(machine);
  await joinRoom(context, address, {
    kind: 'workflow',
    program: machine.id,
    parent: expected?.parent.address,
    accepts: Object.keys(schemas),
    broadcasts,
    takeOver: takeOver || isCleanlyClosed(context, address),
  });
  const mailbox = mailboxOf(context, address);
  if (!mailbox) throw new TypeError(`${address} has joined but has no mailbox`);
  const ref = { id: machine.id, hash: machineHash(machine), ...(file === undefined ? {} : { file }) };
  return { mailbox, journal: await Journal.open(context, address, { durability, machine: ref, takeOver, seenMs }) };
}

/** Whether a live host closed this workflow cleanly, so that its card must not block a new host. */
function isCleanlyClosed(context: RoomContext, address: string): boolean {
  const card = readCard(context.host, context.layout, address);
  if (card?.kind !== 'workflow' || !isLive(context, card)) return false;
  return readJournalState(context, address)?.isClosed === true;
}

/** Whether the address is that of a child workflow of this parent, which a takeover of the parent includes. */
function isChildOf(context: RoomContext, address: string, parent: string): boolean {
  const card = readCard(context.host, context.layout, address);
  return card?.kind === 'workflow' && card.parent === parent;
}
