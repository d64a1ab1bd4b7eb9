import { holderOf, isAllDone, isSettled, missingFor, type Board, type Entry, type Lapse } from './board.ts';
import { firstLine } from './text.ts';

/** A message of the workflow that could not be delivered. */
export interface Undelivered {
  readonly to: string;
  readonly type: string;
  readonly messageId: string;
  readonly code: string;
  readonly reason: string;
}

export interface TaskReport {
  readonly id: string;
  readonly title: string;
  /** `waiting` is for other tasks. */
  readonly state: 'done' | 'submitted' | 'claimed' | 'available' | 'waiting' | 'blocked';
  readonly holder: string | null;
  readonly epoch: number;
  /** The epochs that ended without a result. */
  readonly lapses: readonly Lapse[];
  readonly commit: string | null;
  readonly branch: string | null;
  readonly summary: string | null;
  /** The ids of every message by which it came to this. */
  readonly evidence: readonly string[];
}

export interface Report {
  /** `blocked`: not all is done, and nothing more can be claimed. `finished`: the parent has said so. */
  readonly outcome: 'done' | 'blocked' | 'time-over' | 'finished';
  readonly tasks: readonly TaskReport[];
  readonly undelivered: readonly Undelivered[];
}

export function reportOf(
  board: Board,
  { ending, undelivered }: { ending: 'settled' | 'time-over' | 'finished'; undelivered: readonly Undelivered[] },
): Report {
  const unfinished = ending === 'settled' || isSettled(board) ? 'blocked' : ending;
  return {
    outcome: isAllDone(board) ? 'done' : unfinished,
    tasks: board.entries.map((entry) => taskReport(board, entry)),
    undelivered,
  };
}

/** A line for each task, and of those that are not done why. */
export function statusText(board: Board): string {
  return board.entries.map((entry) => lineOf(taskReport(board, entry), board, entry)).join('\n');
}

export function endText(board: Board, { outcome }: Pick<Report, 'outcome'>): string {
  const first = {
    done: 'All tasks are done.',
    blocked: 'Not all tasks are done, and none can be claimed.',
    'time-over': 'The time for these tasks is over.',
    finished: 'The work on these tasks is ended.',
  }[outcome];
  return `${first}\n\n${statusText(board)}`;
}

function taskReport(board: Board, entry: Entry): TaskReport {
  const { task, status, epoch, lapses } = entry;
  const holder = holderOf(entry);
  const result = 'result' in status ? status.result : null;
  const ids = [
    ...lapses.flatMap(({ holder: { claimId }, messageId }) => [claimId, messageId]),
    holder?.claimId,
    result?.messageId,
  ];
  return {
    id: task.id,
    title: task.title,
    state: status.at === 'free' ? (missingFor(board, entry).length > 0 ? 'waiting' : 'available') : status.at,
    holder: holder?.agent ?? null,
    epoch,
    lapses,
    commit: result?.commit ?? null,
    branch: result?.branch ?? null,
    summary: result?.summary ?? null,
    evidence: ids.filter((id) => typeof id === 'string'),
  };
}

function lineOf({ id, title, state, holder, lapses }: TaskReport, board: Board, entry: Entry): string {
  const by = holder === null ? '' : ` by ${holder}`;
  const why =
    state === 'blocked'
      ? `: ${lapses.map(({ reason, holder: { agent } }) => `${agent}: ${firstLine(reason)}`).join('; ')}`
      : state === 'waiting'
        ? ` for ${missingFor(board, entry)
            .map(({ task }) => task.id)
            .join(', ')}`
        : '';
  return `  ${id}  ${state}${by}${why}  ${title}`;
}
