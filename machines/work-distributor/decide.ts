import { accepts } from 'agent-mailroom/workflow';
import type { Board, BoardChange, BoardCommand, BoardVerdict } from './board.ts';
import type { Distribution } from './input.ts';
import type { FromParent } from './parent.ts';
import { parseTasks, type Task } from './plan.ts';
import { applyCommand } from './rules.ts';
import { commandIn, requestData, type AgentMessage } from './request.ts';
import type { UndeliveredMessage } from './report.ts';

export const mail = accepts({
  CLAIM: requestData,
  COMPLETED: requestData,
  BLOCKED: requestData,
  INFO: requestData,
  QUESTION: requestData,
  ACK: requestData,
});

export interface DistributorContext {
  /** The workflow's own address, which claims are sent to. */
  readonly address: string;
  readonly leaseMinutes: number;
  readonly minutes: number;
  readonly staysOpen: Distribution['staysOpen'];
  readonly board: Board;
  readonly undelivered: readonly UndeliveredMessage[];
  /** Agents that an offer did not reach, because they have not joined. */
  readonly absent: readonly string[];
  /** Agents that lost a task by silence and have sent nothing since; kept for a parent. */
  readonly silent: readonly string[];
  readonly ending: 'settled' | 'time-over' | 'finished';
}

/** Delayed events of the workflow to itself; a lease is one. */
type Timed =
  { readonly type: 'LEASE-ENDED'; readonly taskId: string; readonly epoch: number } | { readonly type: 'OFFER-AGAIN' };

export type DistributorEvent = typeof mail.events | FromParent | Timed;

/** The arguments of guards, assigns and expressions. */
export interface Now {
  readonly context: DistributorContext;
  readonly event: DistributorEvent;
}

/** The event as a message of an agent. Throws for any other event. */
export function messageIn({ event }: Now): AgentMessage {
  if (!isAgentMessage(event)) throw new TypeError(`${event.type} is no message of an agent`);
  return event;
}

/**
 * Applies the event to the board; undefined if it is no command. All guards and actions of a step get the same verdict,
 * because the board is replaced last.
 */
export function decide({ context, event }: Now): BoardVerdict | undefined {
  const command = commandOf(event);
  return command && applyCommand(context.board, command);
}

/** The same after a guard has made sure that a task changes. */
export function changeOf(now: Now): BoardChange {
  const verdict = decide(now);
  if (verdict === undefined || !('opened' in verdict)) throw new TypeError(`${now.event.type} changes no task`);
  return verdict;
}

/** The tasks that a parent adds, or their faults. */
export function addedIn({ context: { board }, event }: Now): readonly Task[] | TypeError {
  const known = board.entries.map(({ task }) => task.id);
  try {
    return parseTasks(event.type === 'ADD-TASKS' ? event.tasks : undefined, known);
  } catch (error) {
    if (error instanceof TypeError) return error;
    throw error;
  }
}

export function commandOf(event: DistributorEvent): BoardCommand | undefined {
  if (isAgentMessage(event)) return commandIn(event);
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

function isAgentMessage(event: DistributorEvent): event is AgentMessage {
  return ['CLAIM', 'COMPLETED', 'BLOCKED', 'INFO', 'QUESTION', 'ACK'].includes(event.type);
}
