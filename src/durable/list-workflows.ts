import type { WorkflowState } from '../machine/workflow-state.ts';
import { listAddresses, type RoomContext } from '../room/context.ts';
import { readJournalState } from './read-journal.ts';
import { waitingFor, type WaitingFor } from './waiting-for.ts';

/** A workflow as its journal shows it at this moment. */
export interface WorkflowInfo {
  readonly address: string;
  /** Undefined as long as it was never started. */
  readonly state: WorkflowState | undefined;
  /** The id of its machine. */
  readonly machine: string;
  readonly waitingFor: readonly WaitingFor[];
  /** Messages of it that are not delivered yet. */
  readonly undelivered: number;
  /** The process that runs it; undefined when none does. */
  readonly host: number | undefined;
}

/** Every workflow of the room, or one; children too. Throws what reading a journal throws. */
export function listWorkflows(context: RoomContext, address?: string): WorkflowInfo[] {
  const addresses = address === undefined ? listAddresses(context) : [address];
  return addresses.flatMap((one) => workflowInfo(context, one) ?? []);
}

function workflowInfo(context: RoomContext, address: string): WorkflowInfo | undefined {
  const fold = readJournalState(context, address);
  if (!fold?.open) return undefined;
  const { open, state, isClosed, undelivered } = fold;
  const isRun = !isClosed && context.host.processes.isAlive(open.process);
  return {
    address,
    state,
    machine: open.machine.id,
    waitingFor: state?.status === 'active' ? waitingFor(state) : [],
    undelivered: undelivered.size,
    host: isRun ? open.process.pid : undefined,
  };
}
