import { accepts } from 'agent-mailroom/workflow';
import type { Board, Change, Move, Verdict } from './board.ts';
import type { Distribution } from './input.ts';
import type { FromParent } from './parent.ts';
import { parseTasks, type Task } from './plan.ts';
import { play } from './rules.ts';
import { moveIn, requestData, type Said } from './request.ts';
import type { Undelivered } from './report.ts';

export const mail = accepts({
  CLAIM: requestData,
  COMPLETED: requestData,
  BLOCKED: requestData,
  INFO: requestData,
  QUESTION: requestData,
  ACK: requestData,
});

export interface Context {
  /** The workflow's own: what claims are sent to. */
  readonly address: string;
  readonly leaseMinutes: number;
  readonly minutes: number;
  readonly staysOpen: Distribution['staysOpen'];
  readonly board: Board;
  readonly undelivered: readonly Undelivered[];
  /** Whom an offer did not reach, because they have not joined. */
  readonly absent: readonly string[];
  /** Who lost a task by silence and has not been heard of since; kept for a parent. */
  readonly silent: readonly string[];
  readonly ending: 'settled' | 'time-over' | 'finished';
}

/** A lease is a delayed event of the workflow to itself. */
type Timed =
  { readonly type: 'LEASE-ENDED'; readonly taskId: string; readonly epoch: number } | { readonly type: 'OFFER-AGAIN' };

export type Event = typeof mail.events | FromParent | Timed;

/** What guards, assigns and expressions see. */
export interface Now {
  readonly context: Context;
  readonly event: Event;
}

/** The message that this turn is about. */
export function saidIn({ event }: Now): Said {
  if (!isSaid(event)) throw new TypeError(`${event.type} is no message of an agent`);
  return event;
}

/**
 * What this event makes of the board; undefined when it is about nothing on it. Every guard and action of a turn sees the
 * same, as long as the board is taken last.
 */
export function verdictOf({ context, event }: Now): Verdict | undefined {
  const move = moveOf(event);
  return move && play(context.board, move);
}

/** The same, where a guard has made sure that a task changes. */
export function changeOf(now: Now): Change {
  const verdict = verdictOf(now);
  if (verdict === undefined || !('opened' in verdict)) throw new TypeError(`${now.event.type} changes no task`);
  return verdict;
}

/** The tasks that a parent adds, or what is wrong with them. */
export function addedIn({ context: { board }, event }: Now): readonly Task[] | TypeError {
  const known = board.entries.map(({ task }) => task.id);
  try {
    return parseTasks(event.type === 'ADD-TASKS' ? event.tasks : undefined, known);
  } catch (error) {
    if (error instanceof TypeError) return error;
    throw error;
  }
}

export function moveOf(event: Event): Move | undefined {
  if (isSaid(event)) return moveIn(event);
  switch (event.type) {
    case 'LEASE-ENDED':
      return { kind: 'expire', taskId: event.taskId, epoch: event.epoch };
    case 'ASSIGN':
      return { kind: 'assign', taskId: event.taskId, epoch: event.epoch, workspace: event.workspace ?? null };
    case 'ACCEPTED':
      return { kind: 'accept', taskId: event.taskId, epoch: event.epoch };
    case 'REWORK':
      return { kind: 'rework', taskId: event.taskId, epoch: event.epoch, feedback: event.feedback };
    case 'SUSPEND':
      return { kind: 'suspend', taskId: event.taskId, epoch: event.epoch };
    case 'RELEASE':
      return { kind: 'take-away', taskId: event.taskId, epoch: event.epoch, reason: event.reason };
    default:
      return undefined;
  }
}

function isSaid(event: Event): event is Said {
  return ['CLAIM', 'COMPLETED', 'BLOCKED', 'INFO', 'QUESTION', 'ACK'].includes(event.type);
}
