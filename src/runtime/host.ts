import type { AnyStateMachine, InputFrom, OutputFrom } from 'xstate';
import { Conflict, InvalidInput, WorkflowFailed } from '../errors.ts';
import { describeFailed } from '../journal/describe.ts';
import type { JournalFold } from '../journal/fold.ts';
import { isHostThere, runByAnother } from '../journal/host-there.ts';
import { noWorkflow } from '../journal/list.ts';
import { readJournalState } from '../journal/read.ts';
import { peek } from '../mailbox/status.ts';
import { isActorAddress } from '../message/address.ts';
import { cut } from '../message/cut.ts';
import { findNonJson } from '../message/json-value.ts';
import { mailboxOf, type RoomContext } from '../room/context.ts';
import { assertLocalFileSystem } from '../room/network-file-system.ts';
import type { Room } from '../room/room.ts';
import { lastSeenMs } from '../room/signs-of-life.ts';
import { withRoomErrors } from '../room/system-errors.ts';
import { GIVEN_UP } from '../step/cause.ts';
import { checkMachine } from '../step/check-machine.ts';
import { receive, type ReceiveOptions } from '../step/receive.ts';
import { type ErrorFacts, standingOf, type WorkflowState } from '../step/workflow-state.ts';
import { STOP } from '../workflow/control.ts';
import { assertCode, isChanged } from './assert-code.ts';
import type { Happening } from './run.ts';
import { type RecordListener, WorkflowFamily } from './tree.ts';

/** How a workflow is begun or gone on with. */
export interface WorkflowOptions<TInput = unknown> {
  /** The workflow's address; the machine's id when not given. */
  readonly address?: string | undefined;
  /** What the machine begins with; JSON. */
  readonly input?: TInput | undefined;
  /** Begin anew where an earlier run has ended, or is FAILED: that one is stopped first, with its children. */
  readonly again?: boolean | undefined;
  /** Take the workflow from a live host. */
  readonly takeOver?: boolean | undefined;
  /** Go on although the machine's code is not what it was, as long as it has a place for the state. */
  readonly acceptChanged?: boolean | undefined;
  /** Take the step of a FAILED workflow once more, also with changed code, as with `acceptChanged`. Any other one just goes on. */
  readonly retryFailed?: boolean | undefined;
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
  /**
   * Resolves when it has ended and all its messages are delivered, or when its host leaves. Rejects with WorkflowFailed when it is
   * FAILED, also at once where it was before; its host goes on with the others, and runs it again when asked to. Rejects with
   * Fenced and the like when this host can go on with none.
   */
  readonly result: Promise<WorkflowResult<TOutput>>;
}

/**
 * A process that runs workflows of a room, as many as it is given. What they are is in their journals: the process may end
 * in any way, and another one goes on. When one workflow is taken over by another host, this one leaves all of them.
 */
export class WorkflowHost implements AsyncDisposable {
  readonly #room: Room;
  readonly #family: WorkflowFamily;
  readonly #watch: Disposable;
  readonly #closed: Promise<void>;
  #hasClosed: () => void = () => {};

  constructor(room: Room) {
    this.#room = room;
    this.#family = new WorkflowFamily(room);
    this.#watch = room.context.host.watchdog.watch();
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
    const { again, retryFailed } = options;
    if (again && retryFailed) throw new InvalidInput('A FAILED workflow is tried again, or begun anew; not both.');
    if (retryFailed && !before?.state) throw noWorkflow(this.#room.context, address);
    if (before && assertSame(this.#room, { machine, address, options, before }) === 'untouched') {
      const result = Promise.resolve().then(() => resultOf(address, before.state) as never);
      result.catch(() => {});
      return { address, result };
    }
    let hadBegun = false;
    const taken = { machine, address, takeOver: options.takeOver ?? false, file: options.file };
    const run = await this.#family.start(taken, (opened) => {
      hadBegun = opened.state !== undefined;
      const incarnation = this.#room.context.host.randomBytes(INCARNATION_BYTES).toString('hex');
      for (const asked of askedOf(opened.state, { ...options, incarnation })) opened.ask(asked);
    });
    // One that begins only now has left nothing undone, and to look costs a card of everybody in the room.
    if (hadBegun) await this.#family.adoptChildren();
    const ended = Promise.race([this.#family.settled(run), this.#closed]);
    const result = withRoomErrors(this.#room.context, `The workflow ${address} is not run any further`, () =>
      ended.then(() => resultOf(address, run.state) as WorkflowResult<OutputFrom<TMachine>>),
    );
    result.catch(() => {});
    return { address, result };
  }

  /** Finishes what is being committed and leaves every workflow; each goes on when it is run again. */
  async close(): Promise<void> {
    await this.#family.close();
    this.#watch[Symbol.dispose]();
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

/**
 * Throws Conflict where what is to be run is not what the journal is about. `untouched`: it is FAILED, and code that nobody has
 * accepted is not to run its children either.
 */
function assertSame(
  { context }: Room,
  {
    machine,
    address,
    options,
    before,
  }: { machine: AnyStateMachine; address: string; options: WorkflowOptions; before: JournalFold },
): 'runs' | 'untouched' {
  const { state, open, isClosed } = before;
  const { again = false, acceptChanged = false, retryFailed = false, takeOver = false, input } = options;
  if (open && !isClosed && !takeOver && isHostThere(context, open, lastSeenMs(context, address))) {
    throw runByAnother(context, address, open);
  }
  if (!state || (again && standingOf(state) !== 'active')) return 'runs';
  if (again) {
    throw new Conflict(`The workflow ${address} has not ended, so it cannot begin again.`, {
      hint: `Run it without --again to go on, or end it first: mailroom stop ${address}`,
    });
  }
  if (input !== undefined && JSON.stringify(input) !== JSON.stringify(state.input)) {
    const begunWith = state.input === undefined ? 'none' : cut(JSON.stringify(state.input), { charsMax: 200 });
    throw new Conflict(`The workflow ${address} was begun with another input: ${begunWith}`, {
      hint:
        state.status === 'active'
          ? 'Run it without --input to go on, or another one with --as.'
          : 'Begin anew with --again, or run another one with --as.',
    });
  }
  const goingOn = { machine, address, before };
  if (state.status !== 'active' || !isChanged(goingOn)) return 'runs';
  // Any code can end it.
  if (isToStop(context, { machine, address, state })) return 'runs';
  const accepted = acceptChanged || retryFailed;
  if (state.failed && !accepted) return 'untouched';
  assertCode(context, goingOn, { accepted, file: options.file });
  return 'runs';
}

/** Whether a STOP waits in its mailbox that whoever runs it will take. A look; nothing is moved. */
function isToStop(context: RoomContext, options: ReceiveOptions): boolean {
  const mailbox = mailboxOf(context, options.address);
  if (!mailbox) return false;
  const { unsettled } = peek(mailbox, { limit: Infinity });
  return unsettled.some(({ message }) => message.type === STOP && 'cause' in receive(message, options));
}

/** Before anything is opened, which would have to be closed again. */
function assertInput(input: unknown): void {
  const fault = input === undefined ? undefined : findNonJson(input, 'input');
  if (fault === undefined) return;
  throw new InvalidInput(`The input has something at ${fault} that JSON cannot represent.`, {
    hint: 'Use text, numbers, true/false, null, arrays and plain objects.',
  });
}

const INCARNATION_BYTES = 6;

function resultOf(address: string, state: WorkflowState | undefined): WorkflowResult {
  if (state?.failed) throw failureOf(address, state);
  if (!state || state.status === 'active') return { status: 'left' };
  if (state.status === 'done') return { status: 'done', output: state.output };
  if (state.status === 'stopped') return { status: 'stopped' };
  return { status: 'error', error: state.error ?? { name: 'Error', message: 'it failed' } };
}

function failureOf(address: string, state: WorkflowState | undefined): WorkflowFailed {
  if (!state?.failed) throw new TypeError(`${address} is not FAILED`);
  const { place, ...error } = state.failed.failure;
  return new WorkflowFailed(`The workflow ${address} is ${describeFailed(state.failed)}.`, {
    address,
    error,
    place,
    hint: `Mend the code and run it with --retry-failed, or give it up with --again or: mailroom stop ${address}`,
  });
}

export interface RunOptions<TInput = unknown> extends WorkflowOptions<TInput> {
  /** Leaves the workflow when it aborts: what is being committed is finished, and it goes on when it is run again. */
  readonly signal?: AbortSignal | undefined;
  /** Is told of every record of the workflow and its children, after it is true. */
  readonly onRecord?: RecordListener | undefined;
}

/**
 * Runs one machine as a workflow of the room until it has ended and all its messages are delivered, or the signal aborts. It
 * goes on where an earlier process left it, however that ended; a workflow that has ended already only gives its result.
 * Throws as `WorkflowHost.run`, and Fenced when another host takes it over.
 */
export async function runWorkflow<TMachine extends AnyStateMachine>(
  room: Room,
  machine: TMachine,
  options: RunOptions<InputFrom<TMachine>> = {},
): Promise<WorkflowResult<OutputFrom<TMachine>>> {
  const { signal, onRecord, ...others } = options;
  await using host = new WorkflowHost(room);
  if (onRecord) host.onRecord(onRecord);
  const { result } = await host.run(machine, others);
  const leave = (): void => void host.close().catch(() => {});
  if (signal?.aborted) leave();
  signal?.addEventListener('abort', leave, { once: true });
  try {
    return await result;
  } finally {
    signal?.removeEventListener('abort', leave);
  }
}

export interface AskedOptions {
  readonly input?: unknown;
  readonly again?: boolean | undefined;
  readonly retryFailed?: boolean | undefined;
  /** Names the run that may begin. */
  readonly incarnation: string;
}

/**
 * What a person asks of a workflow by running it, in this state: to begin, to take the step that failed once more, or to give up
 * what is FAILED and begin anew. Nothing of one that just goes on.
 */
function askedOf(state: WorkflowState | undefined, options: AskedOptions): Happening[] {
  const { input, again = false, retryFailed = false, incarnation } = options;
  const begin: Happening = (now) =>
    now?.incarnation === incarnation ? undefined : { kind: 'start', incarnation, input };
  if (!state) return [begin];
  const { failed } = state;
  // It may fail again, and is tried once for each time that a person asks.
  if (failed && retryFailed) return [(now) => (now?.failed?.at === failed.at ? failed.cause : undefined)];
  if (failed && again) return [(now) => (now?.failed ? GIVEN_UP : undefined), begin];
  return again && state.status !== 'active' ? [begin] : [];
}
