import type { AnyStateMachine } from 'xstate';
import { Conflict } from '../errors.ts';
import { lostParts } from '../step/lost-parts.ts';
import { machineHash } from '../step/machine-hash.ts';
import type { WorkflowState } from '../step/workflow-state.ts';
import { quote } from '../host/shell-word.ts';
import type { RoomContext } from '../room/context.ts';
import type { JournalFold } from '../journal/fold.ts';
import { readJournalState } from '../journal/read.ts';

/** A workflow that is to go on with a machine. */
export interface GoingOn {
  readonly address: string;
  readonly machine: AnyStateMachine;
  readonly before: JournalFold;
}

/** Whether the machine's code is another than what the workflow was run with last. */
export function isChanged({ machine, before }: GoingOn): boolean {
  return before.open !== undefined && before.open.machine.hash !== machineHash(machine);
}

/**
 * Throws Conflict where changed code is not to be accepted, and where nobody can accept it: because it has no place for the state
 * that the workflow, or a child of it, is in. All mail would be refused there for good, and nothing would ever happen.
 */
export function assertCode(
  context: RoomContext,
  goingOn: GoingOn,
  { accepted, file }: { readonly accepted: boolean; readonly file: string | undefined },
): void {
  const { address, machine, before } = goingOn;
  const recorded = before.open?.machine.hash;
  const lost = lostBelow(context, goingOn, before.state);
  if (lost.length > 0) {
    throw new Conflict(`The workflow ${address} cannot go on with this code. ${lost.join(' ')}`, {
      hint:
        `Put that back, or run the code that it was run with (${recorded}). ` +
        `To give the workflow up: mailroom stop ${address}, then the same command once more, which ends it.`,
    });
  }
  if (accepted) return;
  throw new Conflict(
    `The code of the machine ${machine.id} is not what the workflow ${address} was run with (${recorded}, now ${machineHash(machine)}).`,
    {
      hint: `If the states it is in still mean the same, go on with --accept-changed. What would differ so far: mailroom replay ${address}${file === undefined ? '' : ` --machine ${quote(file)}`}`,
    },
  );
}

/** A sentence for each workflow that has no place in its machine, this one or a child that it waits for. */
function lostBelow(
  context: RoomContext,
  { address, machine }: Pick<GoingOn, 'address' | 'machine'>,
  state: WorkflowState | undefined,
): string[] {
  if (state?.status !== 'active') return [];
  const lost = lostParts(machine, state);
  const own = lost.map((what) => `${address} needs ${what}, which the machine ${machine.id} no longer has.`);
  if (own.length > 0) return own;
  return Object.values(state.calls).flatMap((call) => {
    if (call.kind !== 'machine') return [];
    const child = readJournalState(context, call.address)?.state;
    // One of an earlier start is over for its parent.
    if (child?.incarnation !== call.effectId) return [];
    const logic = machine.implementations.actors[call.src] as AnyStateMachine;
    return lostBelow(context, { address: call.address, machine: logic }, child);
  });
}
