import type { AnyStateMachine } from 'xstate';
import { type WorkflowEntry, readJournalState } from '../journal/read.ts';
import { isMailroomError } from '../errors.ts';
import { errorFacts } from '../errors.ts';
import type { RoomContext } from '../room/context.ts';
import { type ChooseFile, isShippedMachine, loadMachine, machineOf, type MachinePlace, notTrusted } from './load.ts';

/** The files that may be imported to draw workflows. */
export interface MachineFiles {
  /** Files named by the user; each is used for the workflows whose machine has the same id. */
  readonly named: readonly string[];
  /** A file of this package, whose shipped machines are imported if a journal names them. Default: none are imported. */
  readonly program?: string | undefined;
  /** The command line, for the hint to name a file. */
  readonly words: readonly string[];
}

/** The machines of the inspected workflows, as far as their files may be imported. */
export class InspectedMachines {
  readonly #context: RoomContext;
  readonly #cwd: string;
  readonly #files: MachineFiles | undefined;
  readonly #warn: (text: string) => void;
  /** The named files by the id of their machine. */
  #named: ReadonlyMap<string, string> | undefined;
  readonly #machines = new Map<string, AnyStateMachine | undefined>();
  readonly #parents = new Map<string, string | undefined>();

  constructor(
    context: RoomContext,
    { cwd, files, warn }: { cwd: string; files: MachineFiles | undefined; warn: (text: string) => void },
  ) {
    this.#context = context;
    this.#cwd = cwd;
    this.#files = files;
    this.#warn = warn;
  }

  configOf(address: string): unknown {
    return this.#machines.get(address)?.config;
  }

  parentOf(address: string): string | undefined {
    return this.#parents.get(address);
  }

  /**
   * Loads the machines needed to show this record. A machine that cannot be loaded is reported once and drawn from its
   * journal. Throws InvalidInput for a named file that exports no machine.
   */
  async learn({ address, entry }: WorkflowEntry): Promise<void> {
    if (!('commit' in entry)) return;
    const { state } = entry.commit;
    if (state.parent) this.#parents.set(address, state.parent.address);
    await this.#load(address);
    for (const call of Object.values(state.calls)) {
      if (call.kind !== 'machine' || this.#machines.has(call.address)) continue;
      this.#parents.set(call.address, address);
      this.#machines.set(call.address, childOf(this.#machines.get(address), call.src));
    }
  }

  async #load(address: string): Promise<void> {
    if (this.#machines.has(address)) return;
    this.#machines.set(address, undefined);
    await this.#loadAbove(address);
    if (!this.#files) return;
    const named = (this.#named ??= await this.#loadNamed(this.#files));
    const chooseFile = createChoice(this.#files, named);
    try {
      const { machine } = await machineOf(this.#context, address, { ...this.#place(), chooseFile });
      this.#machines.set(address, machine);
    } catch (error) {
      const { code, message } = errorFacts(error);
      // A damaged journal is reported by the follower that reads it.
      if (code === 'CHAIN_DAMAGED') return;
      const hint = isMailroomError(error) && error.hint !== undefined ? ` ${error.hint}` : '';
      this.#warn(`${address} is drawn from its journal alone. ${message}${hint}`);
    }
  }

  async #loadNamed({ named }: MachineFiles): Promise<Map<string, string>> {
    const byId = new Map<string, string>();
    for (const file of named) {
      const { machine, path } = await loadMachine(this.#context.host, file, this.#place());
      byId.set(machine.id, path);
    }
    return byId;
  }

  #place(): MachinePlace {
    return { cwd: this.#cwd, program: this.#files?.program };
  }

  /** Loads the parents first: a child is drawn below its parent even if the parent itself is not shown. */
  async #loadAbove(address: string): Promise<void> {
    const parent = this.#parents.get(address) ?? this.#parentInJournal(address);
    this.#parents.set(address, parent);
    if (parent !== undefined) await this.#load(parent);
  }

  #parentInJournal(address: string): string | undefined {
    try {
      return readJournalState(this.#context, address)?.state?.parent?.address;
    } catch {
      // A damaged journal is reported by the follower that reads it.
      return undefined;
    }
  }
}

function createChoice({ program, words }: MachineFiles, named: ReadonlyMap<string, string>): ChooseFile {
  return ({ address, recorded: { id, file } }) => {
    const found = named.get(id);
    if (found !== undefined) return found;
    if (file !== undefined && program !== undefined && isShippedMachine(file, program)) return file;
    throw notTrusted(address, file, words);
  };
}

function childOf(parent: AnyStateMachine | undefined, src: string): AnyStateMachine | undefined {
  const logic: unknown = parent?.implementations.actors[src];
  return typeof logic === 'object' && logic !== null && 'config' in logic ? (logic as AnyStateMachine) : undefined;
}
