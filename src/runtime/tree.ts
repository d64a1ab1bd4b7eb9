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
import { errorFacts } from '../workflow/plain-facts.ts';
import { AddressTurns } from './address-queue.ts';
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
 * The workflows that one host runs: those it is given, and the children that their machines start. They share its fate: when
 * one is taken over by another host, or its journal fails, all of them are left.
 */
export class WorkflowFamily {
  readonly #context: RoomContext;
  readonly #durability: Durability;
  readonly #running = new Map<string, Running>();
  readonly #turns = new AddressTurns();
  readonly #openings = new Openings();
  readonly #listeners = new Set<RecordListener>();
  /** Rejects when this host can run nothing any more; never resolves. */
  readonly failed: Promise<never>;
  #reject: (error: unknown) => void = () => {};
  readonly #leaving = new AbortController();

  constructor(room: Room) {
    const { log, host } = contextOf(room);
    this.#context = { ...contextOf(room), log: gatherLog(log, host.clock) };
    this.#durability = contextOf(room).durability;
    this.failed = new Promise<never>((_, reject) => (this.#reject = reject));
    // Whoever waits for a workflow here is told.
    this.failed.catch(() => {});
  }

  /** Is told of every record of every workflow here, after it is true. Returns the way to end that. */
  onRecord(listener: RecordListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Opens a workflow and begins it; `start` is called in between. Where this host is closed meanwhile, it is left at once. Throws
   * Conflict when a live host or agent has the address.
   */
  async start(options: TakeAddress, start: (run: WorkflowRun) => void): Promise<WorkflowRun> {
    let opened: WorkflowRun | undefined;
    await this.#turns.take(options.address, undefined, async () => {
      opened = await this.#open(options);
      start(opened);
      this.#begin(opened);
    });
    if (!opened) throw new TypeError(`${options.address} was opened and is not here`);
    return opened;
  }

  /** Throws Conflict when this host was closed, or has lost one of its workflows. */
  assertOpen(): void {
    if (!this.#leaving.signal.aborted) return;
    throw new Conflict('This host has left its workflows and runs nothing any more.', {
      hint: 'Run it in a new WorkflowHost.',
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
      onSettled: () => settling.settle(),
    });
    const settling = new Settling();
    this.#running.set(address, { run, takeOver, file, expected, loop: Promise.resolve(), settling });
    return run;
  }

  /** Begins an opened workflow: first what an earlier host left undone, also of its children. */
  #begin(run: WorkflowRun): void {
    const running = this.#running.get(run.address);
    if (!running) throw new TypeError(`${run.address} is not opened here`);
    this.#wantChildren(run.address, run.state);
    if (this.#leaving.signal.aborted) run.leave();
    running.loop = run.run().catch((error: unknown) => this.#fail(error));
  }

  /** Leaves a workflow that has ended here, so that it can be run again. Throws Conflict for one that goes on here. */
  async letGo(address: string): Promise<void> {
    const running = this.#running.get(address);
    if (!running) return;
    if (!running.settling.isSettled) throw isHere(address);
    await this.#turns.take(address, undefined, () => this.#leave(address, running));
  }

  async #leave(address: string, running: Running): Promise<void> {
    running.run.leave();
    await running.loop;
    if (this.#running.get(address) === running) this.#running.delete(address);
    running.settling.settle();
  }

  /** See `adoptChildren`; those of all that run here when no others are given. */
  adoptChildren(parents: AdoptChildren['parents'] = this.#running): Promise<void> {
    return adoptChildren(this.#context, {
      parents,
      isHere: (address) => this.#running.has(address) || this.#turns.at(address) !== undefined,
      open: (address, child) => this.#turns.take(address, child.incarnation, () => this.#openChild(address, child)),
      signal: this.#leaving.signal,
    });
  }

  /**
   * Resolves when the workflow has ended and everything that it committed is done, also by those that it has started: they have
   * to hear of its end, and have mail of their own to deliver. Rejects when this host fails.
   */
  async settled(run: WorkflowRun): Promise<void> {
    run.wake();
    const settled = settledWithAllBelow(run.address, { running: this.#running, openings: this.#openings });
    await Promise.race([settled, this.failed]);
  }

  /** Finishes what is being committed and leaves every workflow in good order. */
  async close(): Promise<void> {
    this.#leaving.abort();
    await this.#turns.allOver();
    for (const { run } of this.#running.values()) run.leave();
    await Promise.all([...this.#running.values()].map(({ loop }) => loop));
    this.#running.clear();
    this.#context.log.close();
  }

  #fail(error: unknown): void {
    this.#leaving.abort();
    for (const { run } of this.#running.values()) run.leave();
    this.#reject(error);
  }

  /** Has a workflow here for each child machine that the state waits for. */
  #wantChildren(parent: string, state: WorkflowState | undefined): void {
    for (const [childId, call] of Object.entries(state?.calls ?? {})) {
      if (call.kind === 'machine') this.#want(call.address, expectedOf(parent, childId, call));
    }
  }

  #want(address: string, expected: ExpectedStart): void {
    if (this.#incarnationAt(address) === expected.incarnation || this.#leaving.signal.aborted) return;
    const parent = expected.parent.address;
    const opening = this.#turns.takeAndKeep(address, expected.incarnation, () => this.#openChild(address, expected));
    // Whoever sends to the child is told; see `#childReady`.
    this.#openings.add(parent, this.#untilOpen(address, parent, opening));
  }

  /** Which incarnation is run at an address, or will be when what is under way there is over. */
  #incarnationAt(address: string): string | undefined {
    const turn = this.#turns.at(address);
    return turn ? turn.incarnation : this.#running.get(address)?.expected?.incarnation;
  }

  /** Whether nothing is there that would have to go back to this start. */
  #isNews(address: string, { incarnation }: ExpectedStart): boolean {
    const here = this.#incarnationAt(address);
    return here === undefined || isStartedBefore(here, incarnation);
  }

  /** One that could not be opened is tried again as long as its parent waits for it, or the system keeps what it left undone. */
  async #untilOpen(address: string, parent: string, opening: Promise<void>): Promise<void> {
    const { host, log } = this.#context;
    try {
      await opening;
    } catch (error) {
      const detail = `not opened now: ${errorFacts(error).message}`;
      log.append({ event: 'warning', from: parent, to: address, detail });
      await host.clock.sleep(OPEN_RETRY_MS, this.#leaving.signal);
      this.#turns.forget(address, opening);
      this.#wantChildren(parent, this.#running.get(parent)?.run.state);
      if (this.#incarnationAt(address) !== undefined) return;
      await this.#untilOpen(address, parent, this.adoptChildren(new Set([parent])));
    }
  }

  async #openChild(address: string, expected: ExpectedStart): Promise<void> {
    const { parent } = expected;
    const under = this.#running.get(parent.address);
    // The next host opens it, so that nothing to it is refused now.
    if (!under || this.#leaving.signal.aborted)
      throw new MailroomError('MESSAGE_DELIVERY', `The host is leaving before ${address} is open.`);
    // A child of an earlier incarnation that had the same address.
    const former = this.#running.get(address);
    if (former && former.expected?.parent.address !== parent.address) {
      const what = `The child ${parent.childId} of ${parent.address} would be ${address}, which is another workflow.`;
      throw new Conflict(what, { hint: 'Give it another systemId.' });
    }
    const machine = childMachine(under.run.machine, parent.src);
    if (former?.run.machine === machine) {
      former.expected = expected;
      former.settling.begin();
      return;
    }
    if (former) await this.#leave(address, former);
    const run = await this.#open({ machine, address, takeOver: under.takeOver, file: under.file, expected });
    const hadBegun = run.state !== undefined;
    this.#begin(run);
    if (hadBegun) await this.adoptChildren();
  }

  /** Resolves when `to` can be sent control mail: a child when it is open. Throws why it could not be opened. */
  async #childReady(from: string, to: string, entry: OutboxEntry): Promise<void> {
    const calls = Object.entries(this.#running.get(from)?.run.state?.calls ?? {});
    const call = calls.find(([, one]) => one.kind === 'machine' && one.address === to);
    const wanted = call ? expectedOf(from, ...call) : startIn(entry, from);
    // One that was given up before it was ever open is opened all the same, so that a kill in between changes nothing.
    if (wanted && (call || this.#isNews(to, wanted))) this.#want(to, wanted);
    const opening = this.#turns.at(to);
    if (opening) return opening.done;
    // The next host opens it, so that nothing to it is refused now.
    if (!this.#running.has(to) && this.#leaving.signal.aborted)
      throw new MailroomError('MESSAGE_DELIVERY', `The host is leaving before ${to} is open.`);
  }
}

function isHere(address: string): Conflict {
  return new Conflict(`The workflow ${address} is run by this process already.`, {
    hint: 'Wait for its result, or run another one under another address.',
  });
}

/** A workflow that this process runs. */
export interface Running {
  readonly run: WorkflowRun;
  readonly takeOver: boolean;
  readonly file: string | undefined;
  /** What its parent has started, or is about to; undefined for one that was started by hand. */
  expected: ExpectedStart | undefined;
  loop: Promise<void>;
  /** Whether it has ended and everything that it committed is done. */
  readonly settling: Settling;
}

/**
 * Resolves when the workflow has ended and everything that it committed is done; and also by those that it has started, or that
 * these have, as far as they have begun.
 */
async function settledWithAllBelow(
  address: string,
  { running, openings }: { readonly running: ReadonlyMap<string, Running>; readonly openings: Openings },
): Promise<void> {
  const isBelow = (one: string | undefined): boolean => {
    const parent = one === undefined ? undefined : running.get(one)?.expected?.parent.address;
    return parent !== undefined && (parent === address || isBelow(parent));
  };
  const leftBelow = (): Promise<void> | undefined => {
    // What an earlier host left undone is known of once it is open.
    const opened = openings.under((parent) => parent === address || isBelow(parent));
    if (opened) return opened;
    const left = [...running].find(([at, { run, settling }]) => run.state && !settling.isSettled && isBelow(at));
    return left?.[1].settling.settled();
  };
  let left = running.get(address)?.settling.settled();
  while (left) {
    await left;
    // What a FAILED workflow has started goes on, and may do so for long.
    if (running.get(address)?.run.state?.failed) return;
    left = leftBelow();
  }
}

/** `isKin`, of the workflows that this process runs. */
function isKinHere(
  address: string,
  { of, running }: { readonly of: string; readonly running: ReadonlyMap<string, Running> },
): boolean {
  const at = (one: string): KinAt | undefined => {
    const { expected, run } = running.get(one) ?? {};
    return { parent: expected?.parent.address, state: run?.state };
  };
  return isKin(address, { of, at });
}

interface Opening {
  readonly parent: string;
  readonly done: Promise<void>;
}

/** The children that are being opened, or will be tried again, by the workflow that has started them. */
class Openings {
  readonly #all = new Set<Opening>();

  /** `work` must not reject. */
  add(parent: string, work: Promise<void>): void {
    const opening = { parent, done: work.finally(() => this.#all.delete(opening)) };
    this.#all.add(opening);
  }

  /** Resolves when one of those is over whose parent is such a one; undefined when there is none. */
  under(isParent: (address: string) => boolean): Promise<void> | undefined {
    return [...this.#all].find(({ parent }) => isParent(parent))?.done;
  }
}

/** Whether a workflow has ended and everything that it committed is done. */
export class Settling {
  #isSettled = false;
  readonly #waiting: (() => void)[] = [];

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** It has ended, and there is nothing left to do here; or this host has let it go. May be called again. */
  settle(): void {
    this.#isSettled = true;
    for (const go of this.#waiting.splice(0)) go();
  }

  /** It is started anew. */
  begin(): void {
    this.#isSettled = false;
  }

  /** Resolves when it is settled. */
  settled(): Promise<void> {
    return this.#isSettled ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }
}
