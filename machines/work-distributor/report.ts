import { holderOf, isAllDone, isSettled, missingFor, type Board, type TaskEntry, type Lapse } from './board.ts';
import { firstLine } from './text.ts';

/** A message of the workflow that could not be delivered. */
export interface UndeliveredMessage {
  readonly to: string;
  readonly type: string;
  readonly messageId: string;
  readonly code: string;
  readonly reason: string;
}

export interface TaskReport {
  readonly id: string;
  readonly title: string;
  /** `waiting`: for other tasks. */
  readonly state: 'done' | 'submitted' | 'claimed' | 'available' | 'waiting' | 'blocked';
  readonly holder: string | null;
  readonly epoch: number;
  /** The epochs that ended without a result. */
  readonly lapses: readonly Lapse[];
  readonly commit: string | null;
  readonly branch: string | null;
  readonly summary: string | null;
  /** The ids of all messages that led to this state. */
  readonly evidence: readonly string[];
}

export interface DistributionReport {
  /** `blocked`: not all tasks are done, and none can be claimed. `finished`: by the parent. */
  readonly outcome: 'done' | 'blocked' | 'time-over' | 'finished';
  readonly tasks: readonly TaskReport[];
  readonly undelivered: readonly UndeliveredMessage[];
}

export function reportOf(
  board: Board,
  { ending, undelivered }: { ending: 'settled' | 'time-over' | 'finished'; undelivered: readonly UndeliveredMessage[] },
): DistributionReport {
  const unfinished = ending === 'settled' || isSettled(board) ? 'blocked' : ending;
  return {
    outcome: isAllDone(board) ? 'done' : unfinished,
    tasks: board.entries.map((entry) => taskReport(board, entry)),
    undelivered,
  };
}

/** One line per task, with the reason for each that is not done. */
export function statusText(board: Board): string {
  return board.entries.map((entry) => lineOf(taskReport(board, entry), board, entry)).join('\n');
}

export function endText(board: Board, { outcome }: Pick<DistributionReport, 'outcome'>): string {
  const first = {
    done: 'All tasks are done.',
    blocked: 'Not all tasks are done, and none can be claimed.',
    'time-over': 'The time for these tasks is over.',
    finished: 'The work on these tasks has been ended.',
  }[outcome];
  return `${first}\n\n${statusText(board)}`;
}

function taskReport(board: Board, entry: TaskEntry): TaskReport {
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

function lineOf({ id, title, state, holder, lapses }: TaskReport, board: Board, entry: TaskEntry): string {
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
