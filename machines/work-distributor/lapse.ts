import { holderOf, type Board, type Entry, type Lapse } from './board.ts';
import { changed } from './change.ts';
import type { Change } from './moves.ts';

/** A task that was claimed and lost so often, for whatever reason, is given up: nobody can claim it any more. */
export const LAPSES_MAX = 3;

/** The epoch of a holder ends without a result; the next one has a higher number. */
export function lapse(board: Board, entry: Entry, how: Omit<Lapse, 'holder'>): Change {
  const holder = holderOf(entry);
  if (!holder) throw new TypeError(`${entry.task.id} has no holder whose epoch could end`);
  const lapses = [...entry.lapses, { holder, ...how }];
  const isBlocked = lapses.length >= LAPSES_MAX || isReturnedByAll(lapses, board.agents);
  // Where not all have returned it there is somebody else who may do it.
  const isHeldBack = how.end === 'given-back' && !isBlocked && board.agents !== null;
  return changed(board, entry, isBlocked ? 'blocked' : 'freed', {
    status: { at: isBlocked ? 'blocked' : 'free' },
    lapses,
    epoch: entry.epoch + 1,
    heldBackFrom: isHeldBack ? holder.agent : null,
  });
}

function isReturnedByAll(lapses: readonly Lapse[], agents: readonly string[] | null): boolean {
  const by = new Set(lapses.filter(({ end }) => end === 'given-back').map(({ holder }) => holder.agent));
  return agents !== null && agents.every((agent) => by.has(agent));
}
