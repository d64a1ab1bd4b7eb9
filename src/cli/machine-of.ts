import type { AnyStateMachine } from 'xstate';
import { noWorkflow } from '../durable/stop-workflow.ts';
import { readJournalState } from '../durable/read-journal.ts';
import { InvalidInput } from '../errors.ts';
import type { RoomContext } from '../room/context.ts';
import { loadMachine } from './load-machine.ts';

/** A workflow's machine, the file it comes from, and the state it is in. */
export interface MachineOf {
  readonly machine: AnyStateMachine;
  readonly file: string;
  /** XState's persisted snapshot. */
  readonly snapshot: unknown;
}

/**
 * Loads the machine that a workflow of the room is run with, a child's through its parents'. Throws ActorNotFound, and
 * InvalidInput when nobody wrote down where it lies or it is not there any more.
 */
export async function machineOf(
  context: RoomContext,
  address: string,
  { cwd, file }: { cwd: string; file?: string | undefined },
): Promise<MachineOf> {
  const fold = readJournalState(context, address);
  if (!fold?.open) throw noWorkflow(context, address);
  const { open, state } = fold;
  if (state?.parent) {
    const parent = await machineOf(context, state.parent.address, { cwd, file });
    const machine = parent.machine.implementations.actors[state.parent.src] as AnyStateMachine | undefined;
    if (machine) return { machine, file: parent.file, snapshot: state.snapshot };
    throw new InvalidInput(`The machine of ${state.parent.address} has no actor "${state.parent.src}" any more.`);
  }
  const known = file ?? open.machine.file;
  if (known === undefined) {
    throw new InvalidInput(`Nobody wrote down which file the machine of ${address} lies in.`, {
      hint: 'Say it: --machine <file>',
    });
  }
  const { machine, path } = await loadMachine(context.host, known, cwd);
  return { machine, file: path, snapshot: state?.snapshot };
}
