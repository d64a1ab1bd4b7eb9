import { isMailroomError, ActorNotFound } from '../errors.ts';
import { readText } from '../host/files.ts';
import type { ProcessIdentity } from '../host/processes.ts';
import { STRETCH_MS_MAX } from '../host/watchdog.ts';
import { standingOf, type WorkflowState } from '../step/workflow-state.ts';
import { actorLayout } from '../message/layout.ts';
import { listAddresses, type RoomContext } from '../room/context.ts';
import type { Room } from '../room/room.ts';
import { readJournalState } from './read.ts';
import { waitingFor, type WaitingFor } from './describe.ts';
import { lastSeenMs } from '../room/signs-of-life.ts';
import { isHostThere } from './host-there.ts';
import { nearest } from '../message/nearest.ts';
import { fieldsIn } from '../host/json-file.ts';

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
  /** What its host has been in for longer than a step takes: a function of the machine that does not return. */
  readonly stuck?: { readonly since: number; readonly cause: string };
  /** The workflow in whose step that is, where it is not its own: its host does nothing else meanwhile. */
  readonly heldBy?: string;
  /** Why its journal cannot be read. */
  readonly damage?: string;
}

/** Every workflow of the room, or one; children too. Of one alone, throws what reading its journal throws. */
export function listWorkflows({ context }: Pick<Room, 'context'>, address?: string): WorkflowInfo[] {
  if (address !== undefined) return [workflowInfo(context, address) ?? []].flat();
  const found = listAddresses(context).flatMap((one): WorkflowInfo | WorkflowInfo[] => {
    try {
      return workflowInfo(context, one) ?? [];
    } catch (error) {
      if (!isMailroomError(error)) throw error;
      const unknown = { state: undefined, machine: '', waitingFor: [], undelivered: 0, host: undefined };
      return { address: one, ...unknown, damage: error.message };
    }
  });
  const stuck = found.filter((one) => one.stuck);
  return found.map((one) => {
    const other = one.host === undefined || one.stuck ? undefined : stuck.find(({ host }) => host === one.host);
    return other ? { ...one, heldBy: other.address } : one;
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
    ...(isRun ? stuckIn(context, address, open.process) : {}),
  };
}

/** What the watchdog of this process says. For people only: nobody has signed it. */
function stuckIn(
  { host, layout }: RoomContext,
  address: string,
  process: ProcessIdentity,
): Pick<WorkflowInfo, 'stuck'> {
  // A note that is being written is none yet.
  const { v, at, cause, process: noted } = fieldsIn(readText(host.files, actorLayout(layout, address).step)) ?? {};
  const isNote = v === 1 && typeof at === 'number' && typeof cause === 'string';
  if (!isNote || JSON.stringify(noted) !== JSON.stringify(process)) return {};
  return host.clock.now() - at >= STRETCH_MS_MAX ? { stuck: { since: at, cause } } : {};
}

/** The error for an address under which no workflow was ever run. */
export function noWorkflow(context: RoomContext, address: string): ActorNotFound {
  const known = listWorkflows({ context }).map((one) => one.address);
  const near = nearest(address, known);
  return new ActorNotFound(`No workflow was ever run as ${address} in this room.`, {
    address,
    nearest: near,
    hint: near ? `Did you mean ${near}?` : 'See which there are: mailroom workflows',
  });
}
