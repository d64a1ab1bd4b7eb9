import { availableOn, type Board, type Entry } from './board.ts';
import type { Change } from './moves.ts';

/** The board with one task changed, and what is offered because of it. */
export function changed(board: Board, before: Entry, kind: Change['kind'], change: Partial<Entry>): Change {
  const after = { ...before, ...change };
  const next = { ...board, entries: board.entries.map((entry) => (entry === before ? after : entry)) };
  const offered = new Set(availableOn(board).map(({ task }) => task.id));
  const opened = availableOn(next).filter(({ task }) => !offered.has(task.id));
  return { kind, board: next, before, after, opened };
}
