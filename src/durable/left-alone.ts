import { isLive, readCard } from '../room/card.ts';
import type { RoomContext } from '../room/context.ts';
import { readJournalState } from './read-journal.ts';

/** Whether a host that still lives has left the workflow in good order, so that its card must keep nobody out. */
export function isLeftAlone(context: RoomContext, address: string): boolean {
  const card = readCard(context.host, context.layout, address);
  if (card?.kind !== 'workflow' || !isLive(context, card)) return false;
  return readJournalState(context, address)?.isClosed === true;
}

/** Whether a workflow has the address as a child of this parent, so that it goes with it to whoever takes the parent over. */
export function isChildOf(context: RoomContext, address: string, parent: string): boolean {
  const card = readCard(context.host, context.layout, address);
  return card?.kind === 'workflow' && card.parent === parent;
}
