import type { AnyStateMachine } from 'xstate';
import { isMailroomError, MailroomError } from '../errors.ts';
import type { JournalFold } from '../journal/fold.ts';
import { readJournalState } from '../journal/read.ts';
import type { OutboxEntry } from '../journal/record.ts';
import { knownCard } from '../room/card.ts';
import { listAddresses, type RoomContext } from '../room/context.ts';
import type { ExpectedStart } from '../step/receive.ts';
import type { WorkflowCall } from '../step/workflow-state.ts';
import { START } from '../workflow/control.ts';
import { openEntry } from './deliver-entry.ts';

/** Some addresses, as a set or as the keys of a map. */
export type Addresses = Pick<ReadonlySet<string>, 'has' | 'keys'>;

/**
 * The start of a child that an earlier host has left with something undone, and whose parent may be one of these; undefined for
 * any other workflow.
 */
function unfinishedChild(context: RoomContext, address: string, parents: Addresses): ExpectedStart | undefined {
  if (!mayBeChild(context, address, parents)) return undefined;
  const fold = readState(context, address);
  const { state } = fold ?? {};
  if (!fold || !state?.parent) return undefined;
  const isFinished = state.status !== 'active' && fold.unperformed.length === 0 && fold.undelivered.size === 0;
  return isFinished ? undefined : { parent: state.parent, incarnation: state.incarnation };
}

/** Judges by the address or the card, because reading every journal of the room takes a ms for each. */
function mayBeChild(context: RoomContext, address: string, parents: Addresses): boolean {
  if ([...parents.keys()].some((parent) => address.startsWith(`${parent}.`))) return true;
  const parent = knownCard(context, address)?.parent;
  return parent !== undefined && parents.has(parent);
}

/** Another workflow's journal may be damaged, which must not keep this one from running. */
function readState(context: RoomContext, address: string): JournalFold | undefined {
  try {
    return readJournalState(context, address);
  } catch (error) {
    if (!isMailroomError(error)) throw error;
    context.log.append({ event: 'warning', to: address, detail: error.message });
    return undefined;
  }
}

export interface AdoptChildren {
  /** The addresses of the workflows that this process runs, adopted ones included. */
  readonly parents: Addresses;
  /** Whether the workflow runs here, or is about to. */
  readonly isHere: (address: string) => boolean;
  readonly open: (address: string, child: ExpectedStart) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Opens children that an earlier host has left with something undone, even if their parents no longer wait for them. */
export async function adoptChildren(
  context: RoomContext,
  { parents, isHere, open, signal }: AdoptChildren,
): Promise<void> {
  const tried = new Set<string>();
  for (let found = true; found && !signal.aborted;) {
    found = false;
    for (const address of listAddresses(context)) {
      if (tried.has(address) || isHere(address)) continue;
      const child = unfinishedChild(context, address, parents);
      if (!child || !parents.has(child.parent.address)) continue;
      tried.add(address);
      found = true;
      try {
        await open(address, child);
      } catch (error) {
        // The code may no longer have this child, for example, which must not keep its parent from running.
        if (!isMailroomError(error)) throw error;
        const detail = `not resumed: ${error.message}`;
        context.log.append({ event: 'warning', from: child.parent.address, to: address, detail });
      }
    }
  }
}

/** The start that the parent's state has for a child that it waits for. */
export function expectedOf(parent: string, childId: string, { src, effectId }: WorkflowCall): ExpectedStart {
  return { parent: { address: parent, childId, src }, incarnation: effectId };
}

/** The machine that a parent has under this name. Throws MailroomError if the parent's code has none. */
export function childMachine({ id, implementations }: AnyStateMachine, src: string): AnyStateMachine {
  const machine = implementations.actors[src] as AnyStateMachine | undefined;
  if (machine) return machine;
  throw new MailroomError('INVALID_INPUT', `The machine ${id} no longer has an actor "${src}".`);
}

/** The start that a START message has for its child, in case the parent's state no longer has it; undefined for other mail. */
export function startIn(entry: OutboxEntry, parent: string): ExpectedStart | undefined {
  if (!entry.isControl || entry.type !== START) return undefined;
  const { src } = (openEntry(entry)?.message.data ?? {}) as { src?: unknown };
  if (typeof src !== 'string') return undefined;
  return { parent: { address: parent, childId: src, src }, incarnation: entry.effectId };
}
