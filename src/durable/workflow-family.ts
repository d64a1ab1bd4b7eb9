import type { AnyStateMachine } from 'xstate';
import { Conflict, MailroomError } from '../errors.ts';
import { gatherLog } from '../log/gathered-log.ts';
import { acceptedBy } from '../machine/accepts.ts';
import { machineHash } from '../machine/machine-hash.ts';
import { errorFacts, type ParentRef, type WorkflowCall, type WorkflowState } from '../machine/workflow-state.ts';
import type { Durability } from '../mailbox/mailbox.ts';
import { listAddresses, mailboxOf, type RoomContext } from '../room/context.ts';
import { joinRoom } from '../room/join.ts';
import type { Room } from '../room/room.ts';
import { isLeftAlone } from './left-alone.ts';
import type { CommitListener } from './committer.ts';
import { Journal } from './journal.ts';
import { unfinishedChild } from './unfinished-child.ts';
import { WorkflowRun } from './workflow-run.ts';

const OPEN_RETRY_MS = 1_000;

export interface OpenWorkflow {
  readonly machine: AnyStateMachine;
  readonly address: string;
  readonly takeOver: boolean;
  /** Where the machine was loaded from. */
  readonly file?: string | undefined;
  readonly expected?: { readonly parent: ParentRef; readonly incarnation: string };
}

export type RecordListener = (address: string, ...record: Parameters<CommitListener>) => void;

interface Running {
  readonly run: WorkflowRun;
  readonly takeOver: boolean;
  readonly file: string | undefined;
  /** The incarnation that its parent has started; undefined for one that was started by hand. */
  readonly incarnation: string | undefined;
  /** The address of that parent. */
  readonly parent: string | undefined;
  loop: Promise<void>;
}

/**
 * The workflows that one host runs: those it is given, and the children that their machines start. They share its fate: when
 * one is taken over by another host, or its journal fails, all of them are left.
 */
export class WorkflowFamily {
  readonly #context: RoomContext;
  readonly #durability: Durability;
  readonly #running = new Map<string, Running>();
  /** Children that are being opened. */
  readonly #opening = new Map<string, Promise<void>>();
  readonly #listeners = new Set<RecordListener>();
  readonly #settled = new Map<string, () => void>();
  /** Rejects when this host can run nothing any more; never resolves. */
  readonly failed: Promise<never>;
  #reject: (error: unknown) => void = () => {};
  readonly #leaving = new AbortController();

  constructor(room: Room) {
    const { log, host } = room.context;
    this.#context = { ...room.context, log: gatherLog(log, host.clock) };
    this.#durability = room.context.durability;
    this.failed = new Promise<never>((_, reject) => (this.#reject = reject));
    // Whoever waits for a workflow here is told.
    this.failed.catch(() => {});
  }

  /** Is told of every record of every workflow here, after it is true. Returns the way to end that. */
  onRecord(listener: RecordListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves with the workflow, opened and not yet begun. Throws Conflict when a live host or agent has the address. */
  async open(options: OpenWorkflow): Promise<WorkflowRun> {
    const { address, machine, takeOver, file, expected } = options;
    if (this.#running.has(address)) throw new Conflict(`The workflow ${address} is run by this process already.`);
    const { schemas, broadcasts } = acceptedBy(machine);
    const card = {
      kind: 'workflow',
      program: machine.id,
      parent: expected?.parent.address,
      accepts: Object.keys(schemas),
      broadcasts,
      takeOver: takeOver || isLeftAlone(this.#context, address),
    } as const;
    await joinRoom(this.#context, address, card);
    const mailbox = mailboxOf(this.#context, address);
    if (!mailbox) throw new TypeError(`${address} has joined and has no mailbox`);
    const ref = { id: machine.id, hash: machineHash(machine), ...(file === undefined ? {} : { file }) };
    const journal = await Journal.open(this.#context, address, {
      durability: this.#durability,
      machine: ref,
      takeOver,
    });
    const run = new WorkflowRun({
      context: this.#context,
      durability: this.#durability,
      mailbox,
      journal,
      machine,
      expected,
      childReady: (child) => this.#childReady(child),
      onCommit: (record) => {
        for (const listener of this.#listeners) listener(address, record);
        if ('commit' in record) this.#wantChildren(address, record.commit.state);
      },
      onSettled: () => this.#settled.get(address)?.(),
    });
    const { incarnation, parent } = expected ?? {};
    const started = { incarnation, parent: parent?.address };
    this.#running.set(address, { run, takeOver, file, ...started, loop: Promise.resolve() });
    return run;
  }

  /** Begins an opened workflow: first what an earlier host left undone, also of its children. */
  begin(run: WorkflowRun): void {
    const running = this.#running.get(run.address);
    if (!running) throw new TypeError(`${run.address} is not opened here`);
    if (run.state) this.#wantChildren(run.address, run.state);
    running.loop = run.run().catch((error: unknown) => this.#fail(error));
  }

  /** Opens children that an earlier host has left with something undone, although their parents no longer wait for them. */
  async adoptChildren(): Promise<void> {
    for (let found = true; found && !this.#leaving.signal.aborted;) {
      found = false;
      for (const address of listAddresses(this.#context)) {
        if (this.#running.has(address) || this.#opening.has(address)) continue;
        const child = unfinishedChild(this.#context, address, this.#running);
        const under = child && this.#running.get(child.parent.address);
        if (!under) continue;
        await this.#openChild(address, { ...child, src: child.parent.src, under });
        found = true;
      }
    }
  }

  /** Resolves when the workflow has ended and everything that it committed is done; rejects when this host fails. */
  async settled(run: WorkflowRun): Promise<void> {
    const settled = new Promise<void>((resolve) => this.#settled.set(run.address, resolve));
    run.wake();
    await Promise.race([settled, this.failed]);
  }

  /** Finishes what is being committed and leaves every workflow in good order. */
  async close(): Promise<void> {
    this.#leaving.abort();
    await Promise.allSettled(this.#opening.values());
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
  #wantChildren(parent: string, state: WorkflowState): void {
    for (const [childId, call] of Object.entries(state.calls)) {
      if (call.kind !== 'machine' || this.#isHere(call)) continue;
      this.#want(parent, childId, call);
    }
  }

  #isHere({ address, effectId }: WorkflowCall & { kind: 'machine' }): boolean {
    return this.#opening.has(address) || this.#running.get(address)?.incarnation === effectId;
  }

  #want(parent: string, childId: string, call: WorkflowCall & { kind: 'machine' }): void {
    const under = this.#running.get(parent);
    if (!under || this.#leaving.signal.aborted) return;
    const { address, effectId: incarnation, src } = call;
    const opening = this.#openChild(address, { parent: { address: parent, childId, src }, incarnation, src, under });
    this.#opening.set(address, opening);
    // Whoever sends to the child is told; see `#childReady`.
    opening.then(
      () => this.#opening.delete(address),
      (error: unknown) => this.#wantLater(parent, address, error),
    );
  }

  /** A child that could not be opened is tried again for as long as its parent waits for it. */
  async #wantLater(parent: string, address: string, error: unknown): Promise<void> {
    const { host, log } = this.#context;
    log.append({ event: 'warning', from: parent, to: address, detail: `not opened now: ${errorFacts(error).message}` });
    await host.clock.sleep(OPEN_RETRY_MS, this.#leaving.signal);
    this.#opening.delete(address);
    const { state } = this.#running.get(parent)?.run ?? {};
    if (state) this.#wantChildren(parent, state);
  }

  async #openChild(
    address: string,
    { parent, incarnation, src, under }: { parent: ParentRef; incarnation: string; src: string; under: Running },
  ): Promise<void> {
    // A child of an earlier incarnation that had the same systemId.
    const former = this.#running.get(address);
    if (former && former.parent !== parent.address) {
      throw new Conflict(
        `The child ${parent.childId} of ${parent.address} would be ${address}, which is another workflow.`,
        {
          hint: 'Give it another systemId.',
        },
      );
    }
    if (former) {
      former.run.leave();
      await former.loop;
      this.#running.delete(address);
    }
    const machine = under.run.machine.implementations.actors[src] as AnyStateMachine | undefined;
    if (!machine)
      throw new MailroomError('INVALID_INPUT', `The machine ${under.run.machine.id} has no actor "${src}" any more.`);
    const { takeOver, file } = under;
    const run = await this.open({ machine, address, takeOver, file, expected: { parent, incarnation } });
    this.begin(run);
  }

  /** Resolves when the mailbox of a child is there; for any other address at once. Throws why it could not be opened. */
  async #childReady(address: string): Promise<void> {
    const opening = this.#opening.get(address);
    if (opening) return opening;
    if (this.#running.has(address)) return;
    // The next host opens it, so that nothing to it is refused now.
    if (this.#leaving.signal.aborted)
      throw new MailroomError('MESSAGE_DELIVERY', `The host is leaving before ${address} is open.`);
    for (const [parent, { run }] of this.#running) {
      for (const [childId, call] of Object.entries(run.state?.calls ?? {})) {
        if (call.kind !== 'machine' || call.address !== address) continue;
        this.#want(parent, childId, call);
        return this.#opening.get(address);
      }
    }
  }
}
