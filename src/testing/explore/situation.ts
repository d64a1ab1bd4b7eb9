import type { AnyStateMachine } from 'xstate';
import { valueOf } from '../../journal/describe.ts';
import type { OutboxEntry } from '../../journal/record.ts';
import type { Refused } from '../../runtime/outbox.ts';
import { standingOf, type ParentRef, type WorkflowState } from '../../step/workflow-state.ts';
import type { Message } from '../../message/message.ts';
import type { TimerOrder } from './clock.ts';
import type { AgentAnswer, SituationSeen, WorkflowSeen } from './system.ts';

/** Everything a system is at one moment. Never changed: what happens makes another one, which shares what stayed the same. */
export interface Situation {
  /** First those started by hand, then children, in the order in which their parents wanted them. */
  readonly workflows: ReadonlyMap<string, WorkflowAt>;
  /** Mail to workflows, in the order of its sending. */
  readonly transit: readonly InTransit[];
  /** What can never be delivered and is not told to its sender yet. */
  readonly undeliverable: readonly Undeliverable[];
  readonly agents: ReadonlyMap<string, AgentAt>;
}

export interface WorkflowAt {
  readonly machine: AnyStateMachine;
  /** Undefined until it is started. */
  readonly state: WorkflowState | undefined;
  readonly timers: TimerOrder;
  /** Undefined for one that was started by hand. */
  readonly expected?: { readonly parent: ParentRef; readonly incarnation: string };
  /** Its address was made from the number of a step, and means nothing. */
  readonly isNumbered: boolean;
}

export interface InTransit {
  readonly to: string;
  readonly message: Message;
  readonly isControl: boolean;
}

export interface Undeliverable {
  readonly from: string;
  readonly entry: OutboxEntry;
  readonly refused: readonly Refused[];
}

export interface AgentAt {
  /** How often each of its messages was sent. */
  readonly sent: readonly number[];
  readonly open: readonly OpenQuestion[];
  readonly remembered: readonly string[];
}

/** A message that an agent may still react to. */
export interface OpenQuestion {
  readonly message: Message;
  readonly answers: readonly (readonly AgentAnswer[])[];
  readonly mayStayOpen: boolean;
}

/** What a tester sees of a situation. */
export function seen({ workflows, agents }: Situation): SituationSeen {
  const shown = [...workflows].filter(([, { state, expected }]) => state && (!expected || state.status === 'active'));
  return {
    workflows: Object.fromEntries(shown.map(([address, { state }]) => [address, workflowSeen(state as WorkflowState)])),
    agents: Object.fromEntries([...agents].map(([name, { remembered }]) => [name, remembered])),
  };
}

function workflowSeen(state: WorkflowState): WorkflowSeen {
  const { snapshot, output, error = state.failed?.failure } = state;
  const context = (snapshot as { context?: unknown } | null)?.context;
  return {
    status: standingOf(state),
    value: valueOf(snapshot),
    context,
    ...(output === undefined ? {} : { output }),
    ...(error === undefined ? {} : { error }),
  };
}
