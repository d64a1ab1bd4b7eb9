import type { AnyStateMachine } from 'xstate';
import type { MachineRef } from '../durable/journal-record.ts';
import { readJournalState } from '../durable/read-journal.ts';
import { noWorkflow } from '../durable/stop-workflow.ts';
import { InvalidInput } from '../errors.ts';
import { isPackageFile } from '../host/resolve-module.ts';
import type { RoomContext } from '../room/context.ts';
import { textOption } from './arguments.ts';
import type { Call } from './command.ts';
import { splitLine } from './command-line.ts';
import { loadMachine, type MachinePlace } from './load-machine.ts';
import { commandLine } from './shell-words.ts';

/** A workflow's machine, the file it comes from, and the state it is in. */
export interface MachineOf {
  readonly machine: AnyStateMachine;
  readonly file: string;
  /** XState's persisted snapshot. */
  readonly snapshot: unknown;
}

/** Chooses the file to import for a workflow that no other one started. Throws InvalidInput when none may be imported. */
export type ChooseFile = (workflow: { readonly address: string; readonly recorded: MachineRef }) => string;

/** The folders of this package that hold the machines which ship, as they are written and compiled. */
const SHIPPED = ['machines', 'dist/machines'];

/**
 * Whether a file may be imported because a journal names it. Importing a file runs it, and a journal is not signed: so
 * only a machine may that ships with the package of `program`. Below their folder are programs, which may not.
 */
export function isShippedMachine(file: string, program: string): boolean {
  return SHIPPED.some((directory) => isPackageFile(file, { directory, program }));
}

/** The file that the user names with --machine, or else the recorded one if that ships with this package. */
export function namedOrShipped(call: Call): ChooseFile {
  return ({ address, recorded: { file } }) => {
    const named = textOption(call.args, 'machine');
    if (named !== undefined) return named;
    if (file !== undefined && isShippedMachine(file, call.nudgeProgram)) return file;
    throw notTrusted(address, file, call.words);
  };
}

/** The refusal to import a recorded file, with the whole command that imports it. */
export function notTrusted(address: string, file: string | undefined, words: readonly string[]): InvalidInput {
  const { name = '', rest } = splitLine(words);
  return file === undefined
    ? new InvalidInput(`The journal of ${address} does not name the file of its machine.`, {
        hint: `Name it: ${commandLine([name, '--machine', 'FILE', ...rest])}`,
      })
    : new InvalidInput(
        `The journal of ${address} says that its machine is ${file}. Any program that can write to the room can write that, ` +
          'and importing a file runs it.',
        { hint: `If you trust that file: ${commandLine([name, '--machine', file, ...rest])}` },
      );
}

/**
 * Loads the machine of a workflow, a child's through its parents'. Throws ActorNotFound, InvalidInput, and what the choice
 * of the file throws.
 */
export async function machineOf(
  context: RoomContext,
  address: string,
  { chooseFile, ...place }: MachinePlace & { chooseFile: ChooseFile },
): Promise<MachineOf> {
  const journalOf = (one: string) => {
    const fold = readJournalState(context, one);
    if (!fold?.open) throw noWorkflow(context, one);
    return { address: one, recorded: fold.open.machine, state: fold.state };
  };
  const asked = journalOf(address);
  const seen = new Set([address]);
  /** How to get down again from the topmost workflow. */
  const steps: { readonly parent: string; readonly src: string }[] = [];
  let top = asked;
  while (top.state?.parent) {
    const { address: parent, src } = top.state.parent;
    if (seen.has(parent)) throw new InvalidInput(`The journals say that ${parent} has started itself.`);
    seen.add(parent);
    steps.unshift({ parent, src });
    top = journalOf(parent);
  }
  const { machine: topmost, path } = await loadMachine(context.host, chooseFile(top), place);
  let machine = topmost;
  for (const { parent, src } of steps) {
    const child = machine.implementations.actors[src] as AnyStateMachine | undefined;
    if (!child) throw new InvalidInput(`The machine of ${parent} has no actor "${src}" any more.`);
    machine = child;
  }
  return { machine, file: path, snapshot: asked.state?.snapshot };
}
