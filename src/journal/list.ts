import { isMailroomError, ActorNotFound } from '../errors.ts';
import { readText } from '../host/files.ts';
import type { ProcessIdentity } from '../host/processes.ts';
import { STRETCH_MS_MAX } from '../host/watchdog.ts';
import { standingOf, type WorkflowState } from '../step/workflow-state.ts';
import { actorLayout } from '../message/layout.ts';
import { listAddresses, type RoomContext } from '../room/context.ts';
import { contextOf, type Room } from '../room/room.ts';
import { readJournalState } from './read.ts';
import { waitingFor, type WaitingFor } from './describe.ts';
import { lastSeenMs } from '../room/signs-of-life.ts';
import { isHostThere } from './host-there.ts';
import { nearest } from '../message/nearest.ts';
import { fieldsIn } from '../host/json-file.ts';

/** A workflow as its journal shows it. */
export interface WorkflowInfo {
  /** The workflow's address. */
  readonly address: string;
  /** Its state; undefined if it never started, or its journal is damaged. */
  readonly state: WorkflowState | undefined;
  /** The id of its machine. */
  readonly machine: string;
  /** What it waits for; empty while it is FAILED. */
  readonly waitingFor: readonly WaitingFor[];
  /** How many of its messages are not delivered yet. */
  readonly undelivered: number;
  /** The pid of the process that runs it; undefined if none does. */
  readonly host: number | undefined;
  /** A step of it that does not return: a guard, assign, action or schema that loops. */
  readonly stuck?: {
    /** When the step started, in ms since the epoch. */
    readonly since: number;
    /** What the step is about. */
    readonly cause: string;
  };
  /** The address of the workflow whose stuck step blocks the host of this one. */
  readonly heldBy?: string;
  /** Why its journal cannot be read. */
  readonly damage?: string;
}

/**
 * Lists every workflow of a room, children included, or only the one at `address`.
 *
 * @throws `ChainDamaged`, or the error of the system, if the journal of the one at `address` cannot be read.
 *
 * @example
 * ```ts
 * import { openRoom } from 'agent-mailroom';
 * import { listWorkflows } from 'agent-mailroom/runtime';
 *
 * await using room = await openRoom();
 * for (const { address, state, host } of listWorkflows(room)) console.log(address, state?.status, host ?? 'no host');
 * ```
 */
export function listWorkflows(room: Room, address?: string): WorkflowInfo[] {
  return workflowsIn(contextOf(room), address);
}

/** Lists the workflows of a room by its context. */
export function workflowsIn(context: RoomContext, address?: string): WorkflowInfo[] {
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

/** What the watchdog of the host wrote. Only to be shown, because it is not signed. */
function stuckIn(
  { host, layout }: RoomContext,
  address: string,
  process: ProcessIdentity,
): Pick<WorkflowInfo, 'stuck'> {
  // A note that is just being written does not parse, and is ignored.
  const { v, at, cause, process: noted } = fieldsIn(readText(host.files, actorLayout(layout, address).step)) ?? {};
  const isNote = v === 1 && typeof at === 'number' && typeof cause === 'string';
  if (!isNote || JSON.stringify(noted) !== JSON.stringify(process)) return {};
  return host.clock.now() - at >= STRETCH_MS_MAX ? { stuck: { since: at, cause } } : {};
}

/** The error for an address at which no workflow was ever run. */
export function noWorkflow(context: RoomContext, address: string): ActorNotFound {
  const known = workflowsIn(context).map((one) => one.address);
  const near = nearest(address, known);
  return new ActorNotFound(`No workflow was ever run as ${address} in this room.`, {
    address,
    nearest: near,
    hint: near ? `Did you mean ${near}?` : 'To list them: mailroom workflows',
  });
}
