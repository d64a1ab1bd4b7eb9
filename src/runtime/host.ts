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
import { contextOf, type Room } from '../room/room.ts';
import { lastSeenMs } from '../room/signs-of-life.ts';
import { withRoomErrors } from '../room/system-errors.ts';
import { GIVEN_UP } from '../step/cause.ts';
import { checkMachine } from '../step/check-machine.ts';
import { receive, type ReceiveOptions } from '../step/receive.ts';
import { type ErrorFacts, standingOf, type WorkflowState } from '../step/workflow-state.ts';
import { STOP } from '../workflow/control.ts';
import { assertCode, isChanged } from './assert-code.ts';
import type { PendingCause } from './run.ts';
import { type RecordListener, WorkflowTree } from './tree.ts';

/** How a workflow is started or resumed. */
export interface WorkflowOptions<TInput = unknown> {
  /** The workflow's address. Default: the machine's id. */
  readonly address?: string | undefined;
  /** The machine's input, which must be JSON. When a workflow is resumed, leave it out or give the same. Default: none. */
  readonly input?: TInput | undefined;
  /** Start a new run if the previous one has ended or is FAILED; a FAILED one is stopped first, with its children. Default: false. */
  readonly again?: boolean | undefined;
  /** Take the workflow from a live host. Default: false. */
  readonly takeOver?: boolean | undefined;
  /** Resume even though the machine's code has changed, if the new code can hold the stored state. Default: false. */
  readonly acceptChanged?: boolean | undefined;
  /** Retry the step of a FAILED workflow, also with changed code; a workflow that is not FAILED is resumed. Default: false. */
  readonly retryFailed?: boolean | undefined;
  /** The file of the machine, which `mailroom graph` and `mailroom replay` load. Default: unknown. */
  readonly file?: string | undefined;
  /** Run the workflow even though the room is on a network file system. Default: false. */
  readonly force?: boolean | undefined;
}

/** How a workflow ended, or that its host released it. */
export type WorkflowResult<TOutput = unknown> =
  /** The machine reached a final state. */
  | {
      readonly status: 'done';
      /** The machine's output. */
      readonly output: TOutput;
    }
  /** The machine ended with an error. */
  | {
      readonly status: 'error';
      /** The error. */
      readonly error: ErrorFacts;
    }
  /** The workflow was stopped. */
  | { readonly status: 'stopped' }
  /** The host was closed before the workflow ended. Run it again to resume it. */
  | { readonly status: 'left' };

/** A workflow that this process runs. */
export interface Workflow<TOutput = unknown> {
  /** The workflow's address. */
  readonly address: string;
  /**
   * Resolves when the workflow has ended and all its messages are delivered, or when its host is closed. Rejects with
   * `WorkflowFailed` if the workflow is FAILED; the host keeps running the others. Rejects with `Fenced`, `ChainDamaged` or an
   * error of the disk if this host can run no workflow any more.
   */
  readonly result: Promise<WorkflowResult<TOutput>>;
}

/**
 * Runs any number of workflows of a room in this process. All their state is in their journals, so the process may die at
 * any instant and another one resumes them. If another host takes over one of the workflows, this host releases all.
 *
 * @example
 * ```ts
 * import { openRoom } from 'agent-mailroom';
 * import { WorkflowHost } from 'agent-mailroom/runtime';
 * import { setup } from 'xstate';
 *
 * const machine = setup({}).createMachine({ id: 'ship', initial: 'done', states: { done: { type: 'final' } } });
 *
 * await using room = await openRoom();
 * await using host = new WorkflowHost(room);
 * const workflows = await Promise.all(['ship.one', 'ship.two'].map((address) => host.run(machine, { address })));
 * for (const { address, result } of workflows) console.log(address, (await result).status);
 * ```
 */
export class WorkflowHost implements AsyncDisposable {
  readonly #context: RoomContext;
  readonly #tree: WorkflowTree;
  readonly #watch: Disposable;
  readonly #closed: Promise<void>;
  #hasClosed: () => void = () => {};

  constructor(room: Room) {
    this.#context = contextOf(room);
    this.#tree = new WorkflowTree(room);
    this.#watch = this.#context.host.watchdog.watch();
    this.#closed = new Promise((resolve) => (this.#hasClosed = resolve));
  }

  /** Calls the listener with every committed record of every workflow here, children included. Returns an unsubscribe function. */
  onRecord(listener: RecordListener): () => void {
    return this.#tree.onRecord(listener);
  }

  /**
   * Runs a machine as a workflow: starts it, resumes it where an earlier host stopped, or returns the result if it has ended.
   * Resolves when the workflow runs; its `result` resolves when it ends.
   *
   * @throws `InvalidInput` for a machine that cannot be durable, an address or input that cannot be, or options that
   * contradict each other; `Conflict` if a live host or agent has the address, the code or input differ from those of the
   * start, or this host is closed; `RoomRefused` for a room on a network file system; `ChainDamaged` for a damaged journal.
   */
  async run<TMachine extends AnyStateMachine>(
    machine: TMachine,
    options: WorkflowOptions<InputFrom<TMachine>> = {},
  ): Promise<Workflow<OutputFrom<TMachine>>> {
    this.#tree.assertOpen();
    checkMachine(machine);
    if (!options.force) assertLocalFileSystem(this.#context.host, this.#context.layout.directory);
    const address = addressOf(machine, options);
    assertInput(options.input);
    await this.#tree.release(address);
    const before = readJournalState(this.#context, address);
    const { again, retryFailed } = options;
    if (again && retryFailed) throw new InvalidInput('`again` and `retryFailed` exclude each other: use one of them.');
    if (retryFailed && !before?.state) throw noWorkflow(this.#context, address);
    if (before && assertSame(this.#context, { machine, address, options, before }) === 'untouched') {
      const result = Promise.resolve().then(() => resultOf(address, before.state) as never);
      result.catch(() => {});
      return { address, result };
    }
    let hadBegun = false;
    const taken = { machine, address, takeOver: options.takeOver ?? false, file: options.file };
    const run = await this.#tree.start(taken, (opened) => {
      hadBegun = opened.state !== undefined;
      const incarnation = this.#context.host.randomBytes(INCARNATION_BYTES).toString('hex');
      for (const one of requestsOf(opened.state, { ...options, incarnation })) opened.request(one);
    });
    // A workflow that starts only now has left nothing undone, and the search reads the card of every actor in the room.
    if (hadBegun) await this.#tree.adoptChildren();
    const ended = Promise.race([this.#tree.whenComplete(run), this.#closed]);
    const result = withRoomErrors(this.#context, `The workflow ${address} does not run any more`, () =>
      ended.then(() => resultOf(address, run.state) as WorkflowResult<OutputFrom<TMachine>>),
    );
    result.catch(() => {});
    return { address, result };
  }

  /** Finishes the step that is being committed and releases every workflow. Each is resumed when it is run again. Idempotent. */
  async close(): Promise<void> {
    await this.#tree.close();
    this.#watch[Symbol.dispose]();
    this.#hasClosed();
  }

  /** Same as `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The address at which a machine runs. Throws InvalidInput if none is given and the machine's id is not a valid address. */
export function addressOf(
  machine: AnyStateMachine,
  { address = machine.id }: { readonly address?: string | undefined },
): string {
  if (isActorAddress(address)) return address;
  throw new InvalidInput(
    `The workflow has no address: the id of the machine, ${JSON.stringify(machine.id)}, is not a valid address.`,
    {
      hint: 'Give it one with --as, or give the machine an id such as ship or release.train.',
    },
  );
}

/**
 * Throws Conflict if the machine or the input does not match the journal. `untouched`: the workflow is FAILED and the changed code
 * is not accepted, so this code must not run the children either.
 */
function assertSame(
  context: RoomContext,
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
    throw new Conflict(`The workflow ${address} has not ended, so it cannot start again.`, {
      hint: `Run it without --again to resume it, or stop it first: mailroom stop ${address}`,
    });
  }
  if (input !== undefined && JSON.stringify(input) !== JSON.stringify(state.input)) {
    const startedWith = state.input === undefined ? 'none' : cut(JSON.stringify(state.input), { charsMax: 200 });
    throw new Conflict(`The workflow ${address} was started with another input: ${startedWith}`, {
      hint:
        state.status === 'active'
          ? 'Run it without --input to resume it, or start another workflow with --as.'
          : 'Start a new run with --again, or start another workflow with --as.',
    });
  }
  const resumption = { machine, address, before };
  if (state.status !== 'active' || !isChanged(resumption)) return 'runs';
  // Any code can stop it.
  if (isToStop(context, { machine, address, state })) return 'runs';
  const accepted = acceptChanged || retryFailed;
  if (state.failed && !accepted) return 'untouched';
  assertCode(context, resumption, { accepted, file: options.file });
  return 'runs';
}

/** Whether a STOP that its next host will accept waits in the mailbox. Moves nothing. */
function isToStop(context: RoomContext, options: ReceiveOptions): boolean {
  const mailbox = mailboxOf(context, options.address);
  if (!mailbox) return false;
  const { unsettled } = peek(mailbox, { limit: Infinity });
  return unsettled.some(({ message }) => message.type === STOP && 'cause' in receive(message, options));
}

/** Throws InvalidInput for input that is not JSON, before anything is opened that would have to be closed again. */
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
    hint: `Fix the code and run it with --retry-failed, or give it up with --again or: mailroom stop ${address}`,
  });
}

/** How `runWorkflow` starts or resumes a workflow, and when it stops. */
export interface RunOptions<TInput = unknown> extends WorkflowOptions<TInput> {
  /** Releases the workflow when it aborts, after the step that is being committed. Default: never. */
  readonly signal?: AbortSignal | undefined;
  /** Called with every committed record of the workflow and its children. Default: none. */
  readonly onRecord?: RecordListener | undefined;
}

/**
 * Runs one machine as a workflow, until it has ended and all its messages are delivered, or the signal aborts. Resumes it
 * where an earlier process stopped, however that process ended; returns the result at once if the workflow has ended.
 *
 * @throws As `WorkflowHost.run`; `WorkflowFailed` if the workflow is FAILED; `Fenced` if another host takes it over.
 *
 * @example
 * ```ts
 * import { openRoom } from 'agent-mailroom';
 * import { runWorkflow } from 'agent-mailroom/runtime';
 * import { setup } from 'xstate';
 *
 * const machine = setup({ types: { input: {} as { branch: string } } }).createMachine({
 *   id: 'ship',
 *   initial: 'waiting',
 *   states: { waiting: { after: { 60_000: 'done' } }, done: { type: 'final' } },
 * });
 *
 * await using room = await openRoom();
 * const stop = new AbortController();
 * process.once('SIGINT', () => stop.abort());
 * const result = await runWorkflow(room, machine, { input: { branch: 'add-port' }, signal: stop.signal });
 * if (result.status === 'done') console.log(result.output);
 * ```
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

export interface RequestOptions {
  readonly input?: unknown;
  readonly again?: boolean | undefined;
  readonly retryFailed?: boolean | undefined;
  /** The id of the run that may start. */
  readonly incarnation: string;
}

/**
 * What a person requests by running a workflow in this state: to start it, to retry the failed step, or to give up a FAILED run
 * and start a new one. Empty for a workflow that is only resumed.
 */
function requestsOf(state: WorkflowState | undefined, options: RequestOptions): PendingCause[] {
  const { input, again = false, retryFailed = false, incarnation } = options;
  const begin: PendingCause = (now) =>
    now?.incarnation === incarnation ? undefined : { kind: 'start', incarnation, input };
  if (!state) return [begin];
  const { failed } = state;
  // The step may fail again; it is retried once for each request.
  if (failed && retryFailed) return [(now) => (now?.failed?.at === failed.at ? failed.cause : undefined)];
  if (failed && again) return [(now) => (now?.failed ? GIVEN_UP : undefined), begin];
  return again && state.status !== 'active' ? [begin] : [];
}
