import type { AnyStateMachine } from 'xstate';
import { Conflict } from '../errors.ts';
import { lostParts } from '../step/lost-parts.ts';
import { machineHash } from '../step/machine-hash.ts';
import type { WorkflowState } from '../step/workflow-state.ts';
import { quote } from '../host/shell-word.ts';
import type { RoomContext } from '../room/context.ts';
import type { JournalFold } from '../journal/fold.ts';
import { readJournalState } from '../journal/read.ts';

/** A workflow that is to resume with a machine. */
export interface Resumption {
  readonly address: string;
  readonly machine: AnyStateMachine;
  readonly before: JournalFold;
}

/** Whether the machine's code differs from the code that last ran the workflow. */
export function isChanged({ machine, before }: Resumption): boolean {
  return before.open !== undefined && before.open.machine.hash !== machineHash(machine);
}

/**
 * Throws Conflict if changed code is not accepted, and if it cannot be accepted because it lacks a part that the state of the
 * workflow, or of a child, needs. With such code all mail would be refused for good, and nothing would ever happen.
 */
export function assertCode(
  context: RoomContext,
  resumption: Resumption,
  { accepted, file }: { readonly accepted: boolean; readonly file: string | undefined },
): void {
  const { address, machine, before } = resumption;
  const recorded = before.open?.machine.hash;
  const lost = lostBelow(context, resumption, before.state);
  if (lost.length > 0) {
    throw new Conflict(`The workflow ${address} cannot resume with this code. ${lost.join(' ')}`, {
      hint:
        `Put that back, or use the code that last ran it (${recorded}). ` +
        `To give the workflow up: mailroom stop ${address}, then repeat the same command, which ends it.`,
    });
  }
  if (accepted) return;
  throw new Conflict(
    `The code of the machine ${machine.id} has changed since it last ran the workflow ${address} (${recorded}, now ${machineHash(machine)}).`,
    {
      hint: `If its current states still mean the same, resume with --accept-changed. To see what would differ so far: mailroom replay ${address}${file === undefined ? '' : ` --machine ${quote(file)}`}`,
    },
  );
}

/** A sentence for each part that the machine of this workflow, or of a child that it waits for, lacks. */
function lostBelow(
  context: RoomContext,
  { address, machine }: Pick<Resumption, 'address' | 'machine'>,
  state: WorkflowState | undefined,
): string[] {
  if (state?.status !== 'active') return [];
  const lost = lostParts(machine, state);
  const own = lost.map((what) => `${address} needs ${what}, which the machine ${machine.id} no longer has.`);
  if (own.length > 0) return own;
  return Object.values(state.calls).flatMap((call) => {
    if (call.kind !== 'machine') return [];
    const child = readJournalState(context, call.address)?.state;
    // The parent no longer waits for a child of an earlier start.
    if (child?.incarnation !== call.effectId) return [];
    const logic = machine.implementations.actors[call.src] as AnyStateMachine;
    return lostBelow(context, { address: call.address, machine: logic }, child);
  });
}
