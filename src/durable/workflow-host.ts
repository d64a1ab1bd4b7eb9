import type { AnyStateMachine, InputFrom, OutputFrom } from 'xstate';
import { Conflict, InvalidInput } from '../errors.ts';
import { checkMachine } from '../machine/check-machine.ts';
import { machineHash } from '../machine/machine-hash.ts';
import type { ErrorFacts, WorkflowState } from '../machine/workflow-state.ts';
import { cut } from '../message/cut.ts';
import { findNonJson } from '../message/json-value.ts';
import { isActorAddress } from '../message/address.ts';
import { quote } from '../message/shell-word.ts';
import { assertLocalFileSystem } from '../room/network-file-system.ts';
import type { Room } from '../room/room.ts';
import type { JournalFold } from './journal-fold.ts';
import { readJournalState } from './read-journal.ts';
import { WorkflowFamily, type RecordListener } from './workflow-family.ts';
import type { WorkflowRun } from './workflow-run.ts';

/** How a workflow is begun or gone on with. */
export interface WorkflowOptions<TInput = unknown> {
  /** The workflow's address; the machine's id when not given. */
  readonly address?: string | undefined;
  /** What the machine begins with; JSON. */
  readonly input?: TInput | undefined;
  /** Begin anew where an earlier run has ended. */
  readonly again?: boolean | undefined;
  /** Take the workflow from a live host. */
  readonly takeOver?: boolean | undefined;
  /** Go on although the machine's code is not what it was. */
  readonly acceptChanged?: boolean | undefined;
  /** The file that the machine was loaded from, so that `mailroom graph` and `replay` find it. */
  readonly file?: string | undefined;
  /** Run it although the room lies on a network file system. */
  readonly force?: boolean | undefined;
}

/** How a workflow has ended, or that it was left. */
export type WorkflowResult<TOutput = unknown> =
  | { readonly status: 'done'; readonly output: TOutput }
  | { readonly status: 'error'; readonly error: ErrorFacts }
  | { readonly status: 'stopped' }
  /** It is not over: run it again and it goes on. */
  | { readonly status: 'left' };

/** A workflow that this process runs. */
export interface Workflow<TOutput = unknown> {
  readonly address: string;
  /** Resolves when it has ended and all its messages are delivered, or when its host leaves; rejects with Fenced and the like. */
  readonly result: Promise<WorkflowResult<TOutput>>;
}

/**
 * A process that runs workflows of a room, as many as it is given. What they are is in their journals: the process may end
 * in any way, and another one goes on. When one workflow is taken over by another host, this one leaves all of them.
 */
export class WorkflowHost implements AsyncDisposable {
  readonly #room: Room;
  readonly #family: WorkflowFamily;
  readonly #closed: Promise<void>;
  #hasClosed: () => void = () => {};

  constructor(room: Room) {
    this.#room = room;
    this.#family = new WorkflowFamily(room);
    this.#closed = new Promise((resolve) => (this.#hasClosed = resolve));
  }

  /** Is told of every record of every workflow here, children too, after it is true. Returns the way to end that. */
  onRecord(listener: RecordListener): () => void {
    return this.#family.onRecord(listener);
  }

  /**
   * Runs a machine as a workflow: begins it, goes on where an earlier process left it, or only gives the result where it has
   * ended. Where this host is closed meanwhile, it is left at once. Throws InvalidInput for a machine that cannot be durable;
   * RoomRefused for a room on a network file system;
   * Conflict when a live host or agent has the address, code or input are not what it was begun with, or this host was
   * closed; ChainDamaged.
   */
  async run<TMachine extends AnyStateMachine>(
    machine: TMachine,
    options: WorkflowOptions<InputFrom<TMachine>> = {},
  ): Promise<Workflow<OutputFrom<TMachine>>> {
    this.#family.assertOpen();
    checkMachine(machine);
    if (!options.force) assertLocalFileSystem(this.#room.context.host, this.#room.directory);
    const address = addressOf(machine, options);
    assertInput(options.input);
    await this.#family.letGo(address);
    const before = readJournalState(this.#room.context, address);
    if (before) assertSame(this.#room, { machine, address, options, before });
    let hadBegun = false;
    const taken = { machine, address, takeOver: options.takeOver ?? false, file: options.file };
    const run = await this.#family.start(taken, (opened) => {
      hadBegun = opened.state !== undefined;
      startIfNeeded(this.#room, opened, options);
    });
    // One that begins only now has left nothing undone, and to look costs a card of everybody in the room.
    if (hadBegun) await this.#family.adoptChildren();
    const ended = Promise.race([this.#family.settled(run), this.#closed]);
    const result = ended.then(() => resultOf(run.state) as WorkflowResult<OutputFrom<TMachine>>);
    result.catch(() => {});
    return { address, result };
  }

  /** Finishes what is being committed and leaves every workflow; each goes on when it is run again. */
  async close(): Promise<void> {
    await this.#family.close();
    this.#hasClosed();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The address that a machine is run at. Throws InvalidInput where its id is none and no other is given. */
export function addressOf(
  machine: AnyStateMachine,
  { address = machine.id }: { readonly address?: string | undefined },
): string {
  if (isActorAddress(address)) return address;
  throw new InvalidInput(
    `The workflow has no address: the id of the machine, ${JSON.stringify(machine.id)}, is none.`,
    {
      hint: 'Give it one with --as, or give the machine an id such as ship or release.train.',
    },
  );
}

/** Throws Conflict where what is to be run is not what the journal is about. */
function assertSame(
  { context }: Room,
  {
    machine,
    address,
    options,
    before,
  }: { machine: AnyStateMachine; address: string; options: WorkflowOptions; before: JournalFold },
): void {
  const { state, open, isClosed } = before;
  const { again = false, acceptChanged = false, takeOver = false, input } = options;
  if (open && !isClosed && !takeOver && context.host.processes.isAlive(open.process)) {
    throw new Conflict(
      `The workflow ${address} is run by another host (process ${open.process.pid}, since ${new Date(open.at).toISOString()}).`,
      { hint: 'Let it go on, end it, or take the workflow from it with --take-over.' },
    );
  }
  if (!state || (again && state.status !== 'active')) return;
  if (again) {
    throw new Conflict(`The workflow ${address} has not ended, so it cannot begin again.`, {
      hint: `Run it without --again to go on, or end it first: mailroom stop ${address}`,
    });
  }
  if (input !== undefined && JSON.stringify(input) !== JSON.stringify(state.input)) {
    throw new Conflict(
      `The workflow ${address} was begun with another input: ${cut(JSON.stringify(state.input), { charsMax: 200 })}`,
      {
        hint:
          state.status === 'active'
            ? 'Run it without --input to go on, or another one with --as.'
            : 'Begin anew with --again, or run another one with --as.',
      },
    );
  }
  if (state.status === 'active' && !acceptChanged && open && open.machine.hash !== machineHash(machine)) {
    throw new Conflict(
      `The code of the machine ${machine.id} is not what the workflow ${address} was run with (${open.machine.hash}, now ${machineHash(machine)}).`,
      {
        hint: `If the states it is in still mean the same, go on with --accept-changed. What would differ so far: mailroom replay ${address}${options.file === undefined ? '' : ` --machine ${quote(options.file)}`}`,
      },
    );
  }
}

/** Before anything is opened, which would have to be closed again. */
function assertInput(input: unknown): void {
  const fault = input === undefined ? undefined : findNonJson(input, 'input');
  if (fault === undefined) return;
  throw new InvalidInput(`The input has something at ${fault} that JSON cannot keep.`, {
    hint: 'Use text, numbers, true/false, null, arrays and plain objects.',
  });
}

function startIfNeeded({ context }: Room, run: WorkflowRun, { input, again = false }: WorkflowOptions): void {
  const { state } = run;
  if (state && !(again && state.status !== 'active')) return;
  run.start({
    kind: 'start',
    incarnation: context.host.randomBytes(INCARNATION_BYTES).toString('hex'),
    input: input ?? null,
  });
}

const INCARNATION_BYTES = 6;

function resultOf(state: WorkflowState | undefined): WorkflowResult {
  if (!state || state.status === 'active') return { status: 'left' };
  if (state.status === 'done') return { status: 'done', output: state.output };
  if (state.status === 'stopped') return { status: 'stopped' };
  return { status: 'error', error: state.error ?? { name: 'Error', message: 'it failed' } };
}
