import { Conflict, MailroomError } from '../errors.ts';
import type { OutboxEntry } from '../journal/record.ts';
import { gatherLog } from '../log/gathered-log.ts';
import type { Durability } from '../mailbox/mailbox.ts';
import type { RoomContext } from '../room/context.ts';
import { contextOf, type Room } from '../room/room.ts';
import { isStartedBefore } from '../step/cause.ts';
import { isKin, type KinAt } from '../step/kin.ts';
import type { ExpectedStart } from '../step/receive.ts';
import type { WorkflowState } from '../step/workflow-state.ts';
import { errorFacts } from '../errors.ts';
import { AddressQueue } from './address-queue.ts';
import { adoptChildren, type AdoptChildren, childMachine, expectedOf, startIn } from './children.ts';
import type { CommitListener } from './committer.ts';
import { WorkflowRun } from './run.ts';
import { takeAddress, type TakeAddress } from './take-address.ts';

const OPEN_RETRY_MS = 1_000;

/**
 * Called with the address of a workflow and a committed record of its journal: `seq` and one of `commit` (a step), `failed` (a
 * step that threw) and `note` (a message that changed nothing).
 */
export type RecordListener = (address: string, ...record: Parameters<CommitListener>) => void;

/**
 * The workflows that one host runs: those that it is given, and the children that their machines start. They share one fate: if
 * one of them is taken over by another host, or its journal fails, all of them are released.
 *
 * | exit      | meaning                                                                                         |
 * |-----------|-------------------------------------------------------------------------------------------------|
 * | `release` | of one workflow: finish what is being committed, so that it can be run again, here or elsewhere |
 * | `stop`    | of one workflow: end it for good, by a STOP message; see `history/stop.ts`                      |
 * | `close`   | of a host, or a part of one: release all its workflows; nothing can be run after it             |
 */
export class WorkflowTree {
  readonly #context: RoomContext;
  readonly #durability: Durability;
  readonly #running = new Map<string, RunningWorkflow>();
  readonly #addresses = new AddressQueue();
  readonly #pendingChildren = new PendingChildren();
  readonly #listeners = new Set<RecordListener>();
  /** Rejects when this host can no longer run any workflow; never resolves. */
  readonly failed: Promise<never>;
  #reject: (error: unknown) => void = () => {};
  readonly #closing = new AbortController();

  constructor(room: Room) {
    const { log, host } = contextOf(room);
    this.#context = { ...contextOf(room), log: gatherLog(log, host.clock) };
    this.#durability = contextOf(room).durability;
    this.failed = new Promise<never>((_, reject) => (this.#reject = reject));
    // `whenComplete` reports it to every waiter.
    this.failed.catch(() => {});
  }

  /** Calls the listener with every committed record of every workflow here. Returns an unsubscribe function. */
  onRecord(listener: RecordListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Opens a workflow and runs its loop; `start` is called in between. If this host is closed meanwhile, the workflow is released
   * at once. Throws Conflict if a live host or agent has the address.
   */
  async start(options: TakeAddress, start: (run: WorkflowRun) => void): Promise<WorkflowRun> {
    let opened: WorkflowRun | undefined;
    await this.#addresses.run(options.address, undefined, async () => {
      opened = await this.#open(options);
      start(opened);
      this.#begin(opened);
    });
    if (!opened) throw new TypeError(`${options.address} was opened but is not here`);
    return opened;
  }

  /** Throws Conflict if this host is closed, or has lost one of its workflows. */
  assertOpen(): void {
    if (!this.#closing.signal.aborted) return;
    throw new Conflict('This host has released its workflows and can run nothing any more.', {
      hint: 'Run the workflow in a new WorkflowHost.',
    });
  }

  async #open(options: TakeAddress): Promise<WorkflowRun> {
    const { address, machine, takeOver, file, expected } = options;
    if (this.#running.has(address)) throw isHere(address);
    const taken = await takeAddress(this.#context, options, this.#durability);
    const run = new WorkflowRun({
      ...taken,
      context: this.#context,
      durability: this.#durability,
      machine,
      expected: () => this.#running.get(address)?.expected,
      isKin: (one) => isKinHere(one, { of: address, running: this.#running }),
      childReady: (to, entry) => this.#childReady(address, to, entry),
      onCommit: (record) => {
        for (const listener of this.#listeners) listener(address, record);
        if ('commit' in record) this.#wantChildren(address, record.commit.state);
      },
      onSettled: () => completion.complete(),
    });
    const completion = new Completion();
    this.#running.set(address, { run, takeOver, file, expected, loop: Promise.resolve(), completion });
    return run;
  }

  /** Runs the loop of an opened workflow: first what an earlier host left undone, also of its children. */
  #begin(run: WorkflowRun): void {
    const running = this.#running.get(run.address);
    if (!running) throw new TypeError(`${run.address} is not opened here`);
    this.#wantChildren(run.address, run.state);
    if (this.#closing.signal.aborted) run.release();
    running.loop = run.run().catch((error: unknown) => this.#fail(error));
  }

  /** Releases a workflow that has ended here, so that it can be run again. Throws Conflict for one that still runs here. */
  async release(address: string): Promise<void> {
    const running = this.#running.get(address);
    if (!running) return;
    if (!running.completion.isComplete) throw isHere(address);
    await this.#addresses.run(address, undefined, () => this.#release(address, running));
  }

  async #release(address: string, running: RunningWorkflow): Promise<void> {
    running.run.release();
    await running.loop;
    if (this.#running.get(address) === running) this.#running.delete(address);
    running.completion.complete();
  }

  /** See `adoptChildren`. Default: the children of all workflows that run here. */
  adoptChildren(parents: AdoptChildren['parents'] = this.#running): Promise<void> {
    return adoptChildren(this.#context, {
      parents,
      isHere: (address) => this.#running.has(address) || this.#addresses.last(address) !== undefined,
      open: (address, child) => this.#addresses.run(address, child.incarnation, () => this.#openChild(address, child)),
      signal: this.#closing.signal,
    });
  }

  /**
   * Resolves when the workflow has ended and all its committed effects are done, and so for its descendants: they have to get its
   * STOP, and have mail of their own to deliver. Rejects if this host fails.
   */
  async whenComplete(run: WorkflowRun): Promise<void> {
    run.wake();
    const complete = completeWithDescendants(run.address, {
      running: this.#running,
      pendingChildren: this.#pendingChildren,
    });
    await Promise.race([complete, this.failed]);
  }

  /** Finishes what is being committed and releases every workflow cleanly. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#addresses.whenIdle();
    for (const { run } of this.#running.values()) run.release();
    await Promise.all([...this.#running.values()].map(({ loop }) => loop));
    this.#running.clear();
    this.#context.log.close();
  }

  #fail(error: unknown): void {
    this.#closing.abort();
    for (const { run } of this.#running.values()) run.release();
    this.#reject(error);
  }

  /** Makes sure that each child machine that the state waits for runs here. */
  #wantChildren(parent: string, state: WorkflowState | undefined): void {
    for (const [childId, call] of Object.entries(state?.calls ?? {})) {
      if (call.kind === 'machine') this.#want(call.address, expectedOf(parent, childId, call));
    }
  }

  #want(address: string, expected: ExpectedStart): void {
    if (this.#incarnationAt(address) === expected.incarnation || this.#closing.signal.aborted) return;
    const parent = expected.parent.address;
    const opening = this.#addresses.runAndKeep(address, expected.incarnation, () => this.#openChild(address, expected));
    // A failure is reported to deliveries to the child; see `#childReady`.
    this.#pendingChildren.add(parent, this.#untilOpen(address, parent, opening));
  }

  /** The incarnation that runs at an address, or will run once the queued work there is done. */
  #incarnationAt(address: string): string | undefined {
    const turn = this.#addresses.last(address);
    return turn ? turn.incarnation : this.#running.get(address)?.expected?.incarnation;
  }

  /** Whether nothing at the address is newer than this start. */
  #isNews(address: string, { incarnation }: ExpectedStart): boolean {
    const here = this.#incarnationAt(address);
    return here === undefined || isStartedBefore(here, incarnation);
  }

  /** Retries the opening of a child as long as its parent waits for it, or an earlier host has left something of it undone. */
  async #untilOpen(address: string, parent: string, opening: Promise<void>): Promise<void> {
    const { host, log } = this.#context;
    try {
      await opening;
    } catch (error) {
      const detail = `not opened now: ${errorFacts(error).message}`;
      log.append({ event: 'warning', from: parent, to: address, detail });
      await host.clock.sleep(OPEN_RETRY_MS, this.#closing.signal);
      this.#addresses.forget(address, opening);
      this.#wantChildren(parent, this.#running.get(parent)?.run.state);
      if (this.#incarnationAt(address) !== undefined) return;
      await this.#untilOpen(address, parent, this.adoptChildren(new Set([parent])));
    }
  }

  async #openChild(address: string, expected: ExpectedStart): Promise<void> {
    const { parent } = expected;
    const under = this.#running.get(parent.address);
    // The next host opens the child, so no message to it is refused now.
    if (!under || this.#closing.signal.aborted)
      throw new MailroomError('MESSAGE_DELIVERY', `The host is leaving before ${address} is open.`);
    // An earlier incarnation may have had a child with the same address.
    const former = this.#running.get(address);
    if (former && former.expected?.parent.address !== parent.address) {
      const what = `The child ${parent.childId} of ${parent.address} would be ${address}, which is another workflow.`;
      throw new Conflict(what, { hint: 'Give the child another systemId.' });
    }
    const machine = childMachine(under.run.machine, parent.src);
    if (former?.run.machine === machine) {
      former.expected = expected;
      former.completion.reset();
      return;
    }
    if (former) await this.#release(address, former);
    const run = await this.#open({ machine, address, takeOver: under.takeOver, file: under.file, expected });
    const hadBegun = run.state !== undefined;
    this.#begin(run);
    if (hadBegun) await this.adoptChildren();
  }

  /** Resolves when `to` can get control mail; for a child, when it is open. Throws the error of a failed opening. */
  async #childReady(from: string, to: string, entry: OutboxEntry): Promise<void> {
    const calls = Object.entries(this.#running.get(from)?.run.state?.calls ?? {});
    const call = calls.find(([, one]) => one.kind === 'machine' && one.address === to);
    const wanted = call ? expectedOf(from, ...call) : startIn(entry, from);
    // A child that was given up before it was ever open is still opened, so that a kill in between changes nothing.
    if (wanted && (call || this.#isNews(to, wanted))) this.#want(to, wanted);
    const opening = this.#addresses.last(to);
    if (opening) return opening.done;
    // The next host opens the child, so no message to it is refused now.
    if (!this.#running.has(to) && this.#closing.signal.aborted)
      throw new MailroomError('MESSAGE_DELIVERY', `The host is leaving before ${to} is open.`);
  }
}

function isHere(address: string): Conflict {
  return new Conflict(`The workflow ${address} is already run by this process.`, {
    hint: 'Wait for its result, or run the machine at another address.',
  });
}

/** A workflow that this process runs. */
export interface RunningWorkflow {
  readonly run: WorkflowRun;
  readonly takeOver: boolean;
  readonly file: string | undefined;
  /** The start that its parent has committed; undefined for a workflow that was started by hand. */
  expected: ExpectedStart | undefined;
  loop: Promise<void>;
  /** Whether the workflow has ended and all its committed effects are done. */
  readonly completion: Completion;
}

/**
 * Resolves when the workflow has ended and all its committed effects are done, and so for each descendant that has started.
 */
async function completeWithDescendants(
  address: string,
  {
    running,
    pendingChildren,
  }: { readonly running: ReadonlyMap<string, RunningWorkflow>; readonly pendingChildren: PendingChildren },
): Promise<void> {
  const isBelow = (one: string | undefined): boolean => {
    const parent = one === undefined ? undefined : running.get(one)?.expected?.parent.address;
    return parent !== undefined && (parent === address || isBelow(parent));
  };
  const leftBelow = (): Promise<void> | undefined => {
    // What an earlier host left undone is known once the child is open.
    const opened = pendingChildren.under((parent) => parent === address || isBelow(parent));
    if (opened) return opened;
    const left = [...running].find(([at, { run, completion }]) => run.state && !completion.isComplete && isBelow(at));
    return left?.[1].completion.whenComplete();
  };
  let left = running.get(address)?.completion.whenComplete();
  while (left) {
    await left;
    // The children of a FAILED workflow keep running, possibly for long.
    if (running.get(address)?.run.state?.failed) return;
    left = leftBelow();
  }
}

/** `isKin` among the workflows that this process runs. */
function isKinHere(
  address: string,
  { of, running }: { readonly of: string; readonly running: ReadonlyMap<string, RunningWorkflow> },
): boolean {
  const at = (one: string): KinAt | undefined => {
    const { expected, run } = running.get(one) ?? {};
    return { parent: expected?.parent.address, state: run?.state };
  };
  return isKin(address, { of, at });
}

interface PendingChild {
  readonly parent: string;
  readonly done: Promise<void>;
}

/** The children that are being opened, or whose opening will be retried, by the workflow that has started them. */
class PendingChildren {
  readonly #all = new Set<PendingChild>();

  /** `work` must not reject. */
  add(parent: string, work: Promise<void>): void {
    const opening = { parent, done: work.finally(() => this.#all.delete(opening)) };
    this.#all.add(opening);
  }

  /** Resolves when any pending child of a matching parent has opened; undefined if there is none. */
  under(isParent: (address: string) => boolean): Promise<void> | undefined {
    return [...this.#all].find(({ parent }) => isParent(parent))?.done;
  }
}

/** Whether a workflow has ended and all its committed effects are done. */
export class Completion {
  #isComplete = false;
  readonly #waiting: (() => void)[] = [];

  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** The workflow has ended and nothing is left to do here, or this host has released it. Idempotent. */
  complete(): void {
    this.#isComplete = true;
    for (const go of this.#waiting.splice(0)) go();
  }

  /** A new run starts. */
  reset(): void {
    this.#isComplete = false;
  }

  /** Resolves when the workflow is complete. */
  whenComplete(): Promise<void> {
    return this.#isComplete ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }
}
