import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { AnyStateMachine } from 'xstate';
import { readJournal, readJournalState, type JournalEntry } from '../../src/journal/read.ts';
import { explainWorkflow, type HistoryLine } from '../../src/history/explain.ts';
import { contextOf } from '../../src/room/room.ts';
import { WorkflowHost, type Workflow, type WorkflowOptions } from '../../src/runtime/host.ts';
import type { Durability } from '../../src/mailbox/mailbox.ts';
import { initRoom, openRoom, type Agent, type MessageStatus, type Room, type RoomLimits } from '../../src/index.ts';
import type { Host } from '../../src/runtime.ts';

/** A room in a temporary directory, and what a test asks of its workflows. */
export class WorkflowRoom implements AsyncDisposable {
  readonly directory: string;
  readonly #cwd: string;
  readonly #opened: Room[] = [];
  readonly #durability: Durability;

  private constructor(cwd: string, directory: string, durability: Durability) {
    this.#cwd = cwd;
    this.directory = directory;
    this.#durability = durability;
  }

  static async make({
    limits = {},
    durability = 'process',
    algorithm,
    inMemory = false,
    actors = {},
  }: {
    /** Limits of single actors. */
    actors?: Readonly<Record<string, Partial<RoomLimits>>>;
    /** For very many files, where the machine has such a place: creating them on a disk takes minutes. */
    inMemory?: boolean;
    limits?: Partial<RoomLimits>;
    durability?: Durability;
    algorithm?: 'hmac-sha256' | 'ed25519';
  } = {}): Promise<WorkflowRoom> {
    const parent = inMemory && fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();
    const cwd = fs.mkdtempSync(path.join(parent, 'mailroom-workflow-'));
    const { directory } = await initRoom({ cwd, algorithm, limits: { rateLimit: 10_000, pollMs: 50, ...limits } });
    const config = JSON.parse(fs.readFileSync(`${directory}/room.json`, 'utf8')) as object;
    fs.writeFileSync(`${directory}/room.json`, JSON.stringify({ ...config, actors }));
    return new WorkflowRoom(cwd, directory, durability);
  }

  /** The room as another process would have it. */
  async open(host?: Host): Promise<Room> {
    const room = await openRoom({ directory: this.directory, durability: this.#durability, host, nudge: () => {} });
    this.#opened.push(room);
    return room;
  }

  /** Runs a machine in its own host. */
  async run(
    machine: AnyStateMachine,
    { on, ...options }: WorkflowOptions & { on?: Host } = {},
  ): Promise<{ host: WorkflowHost; workflow: Workflow; room: Room }> {
    const room = await this.open(on);
    const host = new WorkflowHost(room);
    const workflow = await host.run(machine, options);
    return { host, workflow, room };
  }

  journal(address: string): JournalEntry[] {
    const entries: JournalEntry[] = [];
    readJournal(contextOf(this.#any()), address, (entry) => entries.push(entry));
    return entries;
  }

  state(address: string): ReturnType<typeof readJournalState> {
    return readJournalState(contextOf(this.#any()), address);
  }

  /** XState's snapshot of a workflow, as its journal has it. */
  snapshot(address: string): { readonly value: string; readonly context: Readonly<Record<string, unknown>> } {
    const state = this.state(address)?.state;
    if (!state) throw new Error(`${address} was never started`);
    return state.snapshot as ReturnType<WorkflowRoom['snapshot']>;
  }

  /** Where a message is. */
  status(id: string): MessageStatus[] {
    return this.#any().status(id);
  }

  story(address: string): HistoryLine[] {
    return explainWorkflow(contextOf(this.#any()), address) ?? [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const room of this.#opened) await room.close();
    fs.rmSync(this.#cwd, { recursive: true, force: true });
  }

  #any(): Room {
    const [room] = this.#opened;
    if (!room) throw new Error('no room is open');
    return room;
  }
}

const LOOK_EVERY_MS = 10;

/** Waits until a condition holds; throws after a time that only a hang takes. */
export async function eventually<T>(what: string, look: () => T | undefined | false): Promise<T> {
  const end = Date.now() + 60_000;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** The mail in an agent's mailbox: type and text of each message, oldest first. */
export function texts(agent: Agent): string[] {
  return agent.list().unsettled.map(({ message }) => `${message.type} ${message.content}`);
}
