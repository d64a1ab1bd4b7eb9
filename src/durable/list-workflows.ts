import { isMailroomError } from '../errors.ts';
import { standingOf, type WorkflowState } from '../machine/workflow-state.ts';
import { listAddresses, type RoomContext } from '../room/context.ts';
import type { Room } from '../room/room.ts';
import { readJournalState } from './read-journal.ts';
import { waitingFor, type WaitingFor } from './waiting-for.ts';
import { lastSeenMs } from '../room/signs-of-life.ts';
import { isHostThere } from './host-there.ts';

/** A workflow as its journal shows it at this moment. */
export interface WorkflowInfo {
  readonly address: string;
  /** Undefined as long as it was never started. */
  readonly state: WorkflowState | undefined;
  /** The id of its machine. */
  readonly machine: string;
  /** Nothing while it is FAILED: all of that waits itself. */
  readonly waitingFor: readonly WaitingFor[];
  /** Messages of it that are not delivered yet. */
  readonly undelivered: number;
  /** The process that runs it; undefined when none does. */
  readonly host: number | undefined;
  /** Why its journal cannot be read. */
  readonly damage?: string;
}

/** Every workflow of the room, or one; children too. Of one alone, throws what reading its journal throws. */
export function listWorkflows({ context }: Pick<Room, 'context'>, address?: string): WorkflowInfo[] {
  if (address !== undefined) return [workflowInfo(context, address) ?? []].flat();
  return listAddresses(context).flatMap((one) => {
    try {
      return workflowInfo(context, one) ?? [];
    } catch (error) {
      if (!isMailroomError(error)) throw error;
      const unknown = { state: undefined, machine: '', waitingFor: [], undelivered: 0, host: undefined };
      return { address: one, ...unknown, damage: error.message };
    }
  });
}

function workflowInfo(context: RoomContext, address: string): WorkflowInfo | undefined {
  const fold = readJournalState(context, address);
  if (!fold?.open) return undefined;
  const { open, state, isClosed, undelivered } = fold;
  const isRun = !isClosed && isHostThere(context, open, lastSeenMs(context, address));
  return {
    address,
    state,
    machine: open.machine.id,
    waitingFor: state && standingOf(state) === 'active' ? waitingFor(state) : [],
    undelivered: undelivered.size,
    host: isRun ? open.process.pid : undefined,
  };
}
