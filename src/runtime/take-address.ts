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
  /** Take it from a live host; of a child, only what the same parent had started there. */
  readonly takeOver: boolean;
  /** Where the machine was loaded from. */
  readonly file?: string | undefined;
  /** For a child: who may start it, and as which incarnation. */
  readonly expected?: ExpectedStart | undefined;
}

/**
 * Makes the address that of a workflow which this process runs: its mailbox and card, and its journal, which fences every
 * other host. Throws Conflict when a live host or agent has the address.
 */
export async function takeAddress(
  context: RoomContext,
  { machine, address, file, expected, ...options }: TakeAddress,
  durability: Durability,
): Promise<{ readonly mailbox: Mailbox; readonly journal: Journal }> {
  // Nobody who takes a workflow means the agents whose names its children may have.
  const takeOver = options.takeOver && (!expected || isChildOf(context, address, expected.parent.address));
  const seenMs = lastSeenMs(context, address);
  const { schemas, broadcasts } = acceptedBy(machine);
  await joinRoom(context, address, {
    kind: 'workflow',
    program: machine.id,
    parent: expected?.parent.address,
    accepts: Object.keys(schemas),
    broadcasts,
    takeOver: takeOver || isLeftAlone(context, address),
  });
  const mailbox = mailboxOf(context, address);
  if (!mailbox) throw new TypeError(`${address} has joined and has no mailbox`);
  const ref = { id: machine.id, hash: machineHash(machine), ...(file === undefined ? {} : { file }) };
  return { mailbox, journal: await Journal.open(context, address, { durability, machine: ref, takeOver, seenMs }) };
}

/** Whether a host that still lives has left the workflow in good order, so that its card must keep nobody out. */
function isLeftAlone(context: RoomContext, address: string): boolean {
  const card = readCard(context.host, context.layout, address);
  if (card?.kind !== 'workflow' || !isLive(context, card)) return false;
  return readJournalState(context, address)?.isClosed === true;
}

/** Whether a workflow has the address as a child of this parent, so that it goes with it to whoever takes the parent over. */
function isChildOf(context: RoomContext, address: string, parent: string): boolean {
  const card = readCard(context.host, context.layout, address);
  return card?.kind === 'workflow' && card.parent === parent;
}
