import { holderOf, type Board, type Entry, type Lapse, type TaskStatus } from './board.ts';
import { changed } from './change.ts';
import type { Change } from './moves.ts';

/** After so many times of being given back a task is blocked. Silence does not count: it says nothing about the task. */
const GIVEN_BACK_MAX = 3;

/** The epoch of a holder ends without a result; the next one has a higher number. */
export function lapse(board: Board, entry: Entry, how: Omit<Lapse, 'holder'>): Change {
  const holder = holderOf(entry);
  if (!holder) throw new TypeError(`${entry.task.id} has no holder whose epoch could end`);
  const lapses = [...entry.lapses, { holder, ...how }];
  const isGivenUp = isGivenUpBy(lapses, board.agents);
  const status: TaskStatus = { at: isGivenUp ? 'blocked' : 'free' };
  return changed(board, entry, isGivenUp ? 'blocked' : 'freed', { status, lapses, epoch: entry.epoch + 1 });
}

/** Given back too often, or by everybody who could do it. */
function isGivenUpBy(lapses: readonly Lapse[], agents: readonly string[] | null): boolean {
  const givenBack = lapses.filter(({ end }) => end !== 'silent');
  const by = new Set(givenBack.filter(({ end }) => end === 'given-back').map(({ holder }) => holder.agent));
  return givenBack.length >= GIVEN_BACK_MAX || (agents !== null && agents.every((agent) => by.has(agent)));
}
