import {
  availableOn,
  type Board,
  type Change,
  type Entry,
  entryOf,
  holderOf,
  isHeldBack,
  type Lapse,
  missingFor,
  type Move,
  newEntry,
  type Refusal,
  type Result,
  type TaskStatus,
  type Verdict,
} from './board.ts';
import { nearest, type Task } from './plan.ts';

/** The rules of a distribution, pure: what becomes of the board, or why nothing does. */
export function play(board: Board, move: Move): Verdict {
  const entry = entryOf(board, move.taskId);
  if (!entry) {
    const ids = board.entries.map(({ task }) => task.id);
    return {
      kind: 'refused',
      board,
      before: null,
      refusal: { why: 'unknown', near: nearest(move.taskId, ids) ?? null },
    };
  }
  switch (move.kind) {
    case 'claim':
      return claim(board, entry, move);
    case 'complete':
      return complete(board, entry, move);
    case 'give-back':
      return giveBack(board, entry, move);
    case 'expire':
      return isCurrent(entry, move, ['claimed'])
        ? lapse(board, entry, { end: 'silent', reason: 'nothing was heard of it', messageId: null })
        : refused(board, entry, { why: 'not-held' });
    case 'take-away':
      return isCurrent(entry, move, ['claimed', 'submitted'])
        ? lapse(board, entry, { end: 'taken-away', reason: move.reason, messageId: null })
        : refused(board, entry, { why: 'not-held' });
    case 'assign':
      return entry.status.at === 'claimed' && !entry.status.isStarted && entry.epoch === move.epoch
        ? changed(board, entry, 'assigned', {
            status: { ...entry.status, isStarted: true, workspace: move.workspace },
          })
        : refused(board, entry, { why: 'not-held' });
    case 'accept': {
      const result = entry.epoch === move.epoch ? resultIn(entry) : null;
      const holder = holderOf(entry);
      return result && holder && entry.status.at !== 'done'
        ? changed(board, entry, 'done', { status: { at: 'done', holder, result } })
        : refused(board, entry, { why: 'not-held' });
    }
    case 'suspend': {
      const { status } = entry;
      return status.at === 'claimed' && status.result && entry.epoch === move.epoch
        ? changed(board, entry, 'suspended', {
            status: { at: 'submitted', holder: status.holder, workspace: status.workspace, result: status.result },
          })
        : refused(board, entry, { why: 'not-held' });
    }
    default: {
      const { status } = entry;
      const result = entry.epoch === move.epoch ? resultIn(entry) : null;
      return result && (status.at === 'submitted' || status.at === 'claimed')
        ? changed(board, entry, 'reworked', {
            status: {
              at: 'claimed',
              holder: status.holder,
              isStarted: true,
              workspace: status.workspace,
              feedback: move.feedback,
              result,
            },
          })
        : refused(board, entry, { why: 'not-held' });
    }
  }
}

/** The board with further tasks, which have been checked against those that are there. */
export function withTasks(board: Board, tasks: readonly Task[]): Board {
  return { ...board, entries: [...board.entries, ...tasks.map((task) => newEntry(task))] };
}

function claim(board: Board, entry: Entry, { agent, messageId }: Move & { kind: 'claim' }): Verdict {
  if (board.agents && !board.agents.includes(agent)) return refused(board, entry, { why: 'not-asked' });
  const { status } = entry;
  if ('holder' in status) {
    const { holder } = status;
    if (status.at === 'claimed' && holder.agent === agent) return { kind: 'held', board, before: entry, after: entry };
    const why = { claimed: 'taken', submitted: 'in-review', done: 'done' } as const;
    return refused(board, entry, { why: why[status.at], holder });
  }
  if (entry.lapses.length >= LAPSES_MAX) return refused(board, entry, { why: 'given-up' });
  if (isHeldBack(entry, agent)) return refused(board, entry, { why: 'held-back' });
  const missing = missingFor(board, entry).map(({ task }) => task);
  if (missing.length > 0) return refused(board, entry, { why: 'not-ready', missing });
  const holder = { agent, epoch: entry.epoch, claimId: messageId };
  const isStarted = board.acceptance === 'automatic';
  return changed(board, entry, 'granted', {
    status: { at: 'claimed', holder, isStarted, workspace: null, feedback: null, result: null },
  });
}

function complete(board: Board, entry: Entry, move: Move & { kind: 'complete' }): Verdict {
  const refusal = strangerRefusal(entry, move);
  if (refusal) return refused(board, entry, refusal);
  const { status } = entry;
  const { result } = move;
  if (status.at === 'claimed') {
    const { holder, workspace } = status;
    // It may be that nobody has told the holder yet where to work; what it did elsewhere is a result as well.
    return board.acceptance === 'parent'
      ? changed(board, entry, 'submitted', { status: { at: 'submitted', holder, workspace, result } })
      : changed(board, entry, 'done', { status: { at: 'done', holder, result } });
  }
  if (status.at === 'submitted' && status.result.commit !== result.commit)
    return refused(board, entry, { why: 'in-review', holder: status.holder });
  return { kind: 'known', board, before: entry, after: entry };
}

/** What the holder has handed in last in this epoch. */
function resultIn({ status }: Entry): Result | null {
  return 'result' in status ? status.result : null;
}

function giveBack(board: Board, entry: Entry, move: Move & { kind: 'give-back' }): Verdict {
  const refusal = strangerRefusal(entry, move);
  if (refusal) return refused(board, entry, refusal);
  const { status } = entry;
  // What has been handed in is no longer the holder's to give back.
  if (status.at === 'submitted') return refused(board, entry, { why: 'in-review', holder: status.holder });
  if (status.at === 'done') return refused(board, entry, { why: 'done', holder: status.holder });
  return lapse(board, entry, { end: 'given-back', reason: move.reason, messageId: move.messageId });
}

/** Why an agent has no say in a task; undefined when it is the holder, in the epoch that it means. */
function strangerRefusal(
  entry: Entry,
  { agent, epoch }: { readonly agent: string; readonly epoch: number | null },
): Refusal | undefined {
  const holder = holderOf(entry);
  if (holder?.agent === agent && (epoch ?? holder.epoch) === holder.epoch) return undefined;
  const own = entry.lapses.filter((one) => one.holder.agent === agent);
  const last = own.find((one) => one.holder.epoch === epoch) ?? (holder?.agent === agent ? undefined : own.at(-1));
  if (last) return { why: 'lapsed', lapse: last };
  if (holder?.agent === agent) return { why: 'other-epoch', epoch: holder.epoch };
  return entry.status.at === 'done' ? { why: 'done', holder: entry.status.holder } : { why: 'not-held' };
}

function isCurrent(entry: Entry, { epoch }: { readonly epoch: number }, at: readonly TaskStatus['at'][]): boolean {
  return entry.epoch === epoch && at.includes(entry.status.at);
}

function refused(board: Board, before: Entry, refusal: Refusal): Verdict {
  return { kind: 'refused', board, before, refusal };
}

/** A task that was claimed and lost so often, for whatever reason, is given up: nobody can claim it any more. */
export const LAPSES_MAX = 3;

/** The epoch of a holder ends without a result; the next one has a higher number. */
function lapse(board: Board, entry: Entry, how: Omit<Lapse, 'holder'>): Change {
  const holder = holderOf(entry);
  if (!holder) throw new TypeError(`${entry.task.id} has no holder whose epoch could end`);
  const lapses = [...entry.lapses, { holder, ...how }];
  const isBlocked = lapses.length >= LAPSES_MAX || isReturnedByAll(lapses, board.agents);
  // Where not all have returned it there is somebody else who may do it.
  const isKeptFromHolder = how.end === 'given-back' && !isBlocked && board.agents !== null;
  return changed(board, entry, isBlocked ? 'blocked' : 'freed', {
    status: { at: isBlocked ? 'blocked' : 'free' },
    lapses,
    epoch: entry.epoch + 1,
    heldBackFrom: isKeptFromHolder ? holder.agent : null,
  });
}

function isReturnedByAll(lapses: readonly Lapse[], agents: readonly string[] | null): boolean {
  const by = new Set(lapses.filter(({ end }) => end === 'given-back').map(({ holder }) => holder.agent));
  return agents !== null && agents.every((agent) => by.has(agent));
}

/** The board with one task changed, and what is offered because of it. */
function changed(board: Board, before: Entry, kind: Change['kind'], change: Partial<Entry>): Change {
  const after = { ...before, ...change };
  const next = { ...board, entries: board.entries.map((entry) => (entry === before ? after : entry)) };
  const offered = new Set(availableOn(board).map(({ task }) => task.id));
  const opened = availableOn(next).filter(({ task }) => !offered.has(task.id));
  return { kind, board: next, before, after, opened };
}
