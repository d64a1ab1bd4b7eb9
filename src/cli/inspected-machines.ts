import type { AnyStateMachine } from 'xstate';
import type { WorkflowEntry } from '../durable/inspect-events.ts';
import { readJournalState } from '../durable/read-journal.ts';
import { errorFacts } from '../machine/workflow-state.ts';
import type { RoomContext } from '../room/context.ts';
import { machineOf } from './machine-of.ts';

/** The machines of the workflows that are inspected, as far as their files can be loaded. */
export class InspectedMachines {
  readonly #context: RoomContext;
  readonly #cwd: string;
  readonly #warn: (text: string) => void;
  readonly #machines = new Map<string, AnyStateMachine | undefined>();
  readonly #parents = new Map<string, string | undefined>();

  constructor(context: RoomContext, { cwd, warn }: { cwd: string; warn: (text: string) => void }) {
    this.#context = context;
    this.#cwd = cwd;
    this.#warn = warn;
  }

  configOf(address: string): unknown {
    return this.#machines.get(address)?.config;
  }

  parentOf(address: string): string | undefined {
    return this.#parents.get(address);
  }

  /** Loads what is needed to show this record. A machine that cannot be had is told of once, and does without. */
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
    try {
      const { machine } = await machineOf(this.#context, address, { cwd: this.#cwd });
      this.#machines.set(address, machine);
    } catch (error) {
      // Of a damaged journal everybody is told who reads it.
      if (errorFacts(error).code === 'CHAIN_DAMAGED') return;
      this.#warn(`${address} is drawn from its journal alone: ${errorFacts(error).message}`);
    }
  }

  /** A child that is shown without its parent has it above it all the same. */
  async #loadAbove(address: string): Promise<void> {
    const parent = this.#parents.get(address) ?? this.#parentInJournal(address);
    this.#parents.set(address, parent);
    if (parent !== undefined) await this.#load(parent);
  }

  #parentInJournal(address: string): string | undefined {
    try {
      return readJournalState(this.#context, address)?.state?.parent?.address;
    } catch {
      // Whoever reads that journal is told what is wrong with it.
      return undefined;
    }
  }
}

function childOf(parent: AnyStateMachine | undefined, src: string): AnyStateMachine | undefined {
  const logic: unknown = parent?.implementations.actors[src];
  return typeof logic === 'object' && logic !== null && 'config' in logic ? (logic as AnyStateMachine) : undefined;
}
