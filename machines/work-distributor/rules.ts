import {
  availableOn,
  type Board,
  type BoardChange,
  type TaskEntry,
  entryOf,
  holderOf,
  isHeldBack,
  type Lapse,
  missingFor,
  type BoardCommand,
  newEntry,
  type CommandRefusal,
  type Result,
  type TaskStatus,
  type BoardVerdict,
} from './board.ts';
import { nearest, type Task } from './plan.ts';

/** The rules of a distribution, pure: applies a command to the board, or says why it is refused. */
export function applyCommand(board: Board, command: BoardCommand): BoardVerdict {
  const entry = entryOf(board, command.taskId);
  if (!entry) {
    const ids = board.entries.map(({ task }) => task.id);
    return {
      kind: 'refused',
      board,
      before: null,
      refusal: { why: 'unknown', near: nearest(command.taskId, ids) ?? null },
    };
  }
  switch (command.kind) {
    case 'claim':
      return claim(board, entry, command);
    case 'complete':
      return complete(board, entry, command);
    case 'give-back':
      return giveBack(board, entry, command);
    case 'expire':
      return isCurrent(entry, command, ['claimed'])
        ? releaseTask(board, entry, { end: 'silent', reason: 'no message before the lease ended', messageId: null })
        : refused(board, entry, { why: 'not-held' });
    case 'take-away':
      return isCurrent(entry, command, ['claimed', 'submitted'])
        ? releaseTask(board, entry, { end: 'taken-away', reason: command.reason, messageId: null })
        : refused(board, entry, { why: 'not-held' });
    case 'assign':
      return entry.status.at === 'claimed' && !entry.status.isStarted && entry.epoch === command.epoch
        ? changed(board, entry, 'assigned', {
            status: { ...entry.status, isStarted: true, workspace: command.workspace },
          })
        : refused(board, entry, { why: 'not-held' });
    case 'accept': {
      const result = entry.epoch === command.epoch ? resultIn(entry) : null;
      const holder = holderOf(entry);
      return result && holder && entry.status.at !== 'done'
        ? changed(board, entry, 'done', { status: { at: 'done', holder, result } })
        : refused(board, entry, { why: 'not-held' });
    }
    case 'suspend': {
      const { status } = entry;
      return status.at === 'claimed' && status.result && entry.epoch === command.epoch
        ? changed(board, entry, 'suspended', {
            status: { at: 'submitted', holder: status.holder, workspace: status.workspace, result: status.result },
          })
        : refused(board, entry, { why: 'not-held' });
    }
    default: {
      const { status } = entry;
      const result = entry.epoch === command.epoch ? resultIn(entry) : null;
      return result && (status.at === 'submitted' || status.at === 'claimed')
        ? changed(board, entry, 'reworked', {
            status: {
              at: 'claimed',
              holder: status.holder,
              isStarted: true,
              workspace: status.workspace,
              feedback: command.feedback,
              result,
            },
          })
        : refused(board, entry, { why: 'not-held' });
    }
  }
}

/** Adds tasks that have been checked against those on the board. */
export function withTasks(board: Board, tasks: readonly Task[]): Board {
  return { ...board, entries: [...board.entries, ...tasks.map((task) => newEntry(task))] };
}

function claim(board: Board, entry: TaskEntry, { agent, messageId }: BoardCommand & { kind: 'claim' }): BoardVerdict {
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

function complete(board: Board, entry: TaskEntry, command: BoardCommand & { kind: 'complete' }): BoardVerdict {
  const refusal = strangerRefusal(entry, command);
  if (refusal) return refused(board, entry, refusal);
  const { status } = entry;
  const { result } = command;
  if (status.at === 'claimed') {
    const { holder, workspace } = status;
    // The holder may not have been told yet where to work; work done elsewhere is a result as well.
    return board.acceptance === 'parent'
      ? changed(board, entry, 'submitted', { status: { at: 'submitted', holder, workspace, result } })
      : changed(board, entry, 'done', { status: { at: 'done', holder, result } });
  }
  if (status.at === 'submitted' && status.result.commit !== result.commit)
    return refused(board, entry, { why: 'in-review', holder: status.holder });
  return { kind: 'known', board, before: entry, after: entry };
}

/** The last result that the holder has handed in during this epoch. */
function resultIn({ status }: TaskEntry): Result | null {
  return 'result' in status ? status.result : null;
}

function giveBack(board: Board, entry: TaskEntry, command: BoardCommand & { kind: 'give-back' }): BoardVerdict {
  const refusal = strangerRefusal(entry, command);
  if (refusal) return refused(board, entry, refusal);
  const { status } = entry;
  // After handing in, the holder can no longer give the task back.
  if (status.at === 'submitted') return refused(board, entry, { why: 'in-review', holder: status.holder });
  if (status.at === 'done') return refused(board, entry, { why: 'done', holder: status.holder });
  return releaseTask(board, entry, { end: 'given-back', reason: command.reason, messageId: command.messageId });
}

/** Why an agent has no say in a task; undefined if it is the holder and names the right epoch, or none. */
function strangerRefusal(
  entry: TaskEntry,
  { agent, epoch }: { readonly agent: string; readonly epoch: number | null },
): CommandRefusal | undefined {
  const holder = holderOf(entry);
  if (holder?.agent === agent && (epoch ?? holder.epoch) === holder.epoch) return undefined;
  const own = entry.lapses.filter((one) => one.holder.agent === agent);
  const last = own.find((one) => one.holder.epoch === epoch) ?? (holder?.agent === agent ? undefined : own.at(-1));
  if (last) return { why: 'lapsed', lapse: last };
  if (holder?.agent === agent) return { why: 'other-epoch', epoch: holder.epoch };
  return entry.status.at === 'done' ? { why: 'done', holder: entry.status.holder } : { why: 'not-held' };
}

function isCurrent(entry: TaskEntry, { epoch }: { readonly epoch: number }, at: readonly TaskStatus['at'][]): boolean {
  return entry.epoch === epoch && at.includes(entry.status.at);
}

function refused(board: Board, before: TaskEntry, refusal: CommandRefusal): BoardVerdict {
  return { kind: 'refused', board, before, refusal };
}

/** After this many lost claims, for whatever reason, a task is given up: nobody can claim it any more. */
export const LAPSES_MAX = 3;

/** Ends the epoch of a holder without a result; the next epoch has a higher number. */
function releaseTask(board: Board, entry: TaskEntry, how: Omit<Lapse, 'holder'>): BoardChange {
  const holder = holderOf(entry);
  if (!holder) throw new TypeError(`${entry.task.id} has no holder to release it from`);
  const lapses = [...entry.lapses, { holder, ...how }];
  const isBlocked = lapses.length >= LAPSES_MAX || isReturnedByAll(lapses, board.agents);
  // Not all agents have returned the task, so another one may do it.
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

/** The board with one task changed, and the tasks that are newly offered because of it. */
function changed(board: Board, before: TaskEntry, kind: BoardChange['kind'], change: Partial<TaskEntry>): BoardChange {
  const after = { ...before, ...change };
  const next = { ...board, entries: board.entries.map((entry) => (entry === before ? after : entry)) };
  const offered = new Set(availableOn(board).map(({ task }) => task.id));
  const opened = availableOn(next).filter(({ task }) => !offered.has(task.id));
  return { kind, board: next, before, after, opened };
}
