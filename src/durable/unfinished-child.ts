import { isMailroomError } from '../errors.ts';
import type { Expected } from '../machine/receive.ts';
import type { RoomContext } from '../room/context.ts';
import { knownCard } from '../room/known-card.ts';
import type { JournalFold } from './journal-fold.ts';
import { readJournalState } from './read-journal.ts';

/** Some addresses, as a set or as the keys of a map. */
export type Addresses = Pick<ReadonlySet<string>, 'has' | 'keys'>;

/**
 * What a child may be started as that an earlier host has left with something undone, and whose parent may be one of these;
 * undefined for any other workflow.
 */
export function unfinishedChild(context: RoomContext, address: string, parents: Addresses): Expected | undefined {
  if (!mayBeChild(context, address, parents)) return undefined;
  const fold = readState(context, address);
  const { state } = fold ?? {};
  if (!fold || !state?.parent) return undefined;
  const isFinished = state.status !== 'active' && fold.unperformed.length === 0 && fold.undelivered.size === 0;
  return isFinished ? undefined : { parent: state.parent, incarnation: state.incarnation };
}

/** Told by its address or its card, because reading the journal of every workflow of the room takes a ms for each. */
function mayBeChild(context: RoomContext, address: string, parents: Addresses): boolean {
  if ([...parents.keys()].some((parent) => address.startsWith(`${parent}.`))) return true;
  const parent = knownCard(context, address)?.parent;
  return parent !== undefined && parents.has(parent);
}

/** Another workflow's journal may be damaged, which is no reason not to run this one. */
function readState(context: RoomContext, address: string): JournalFold | undefined {
  try {
    return readJournalState(context, address);
  } catch (error) {
    if (!isMailroomError(error)) throw error;
    context.log.append({ event: 'warning', to: address, detail: error.message });
    return undefined;
  }
}
