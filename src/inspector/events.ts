import { valueOf } from '../journal/describe.ts';
import type { CommitRecord } from '../journal/record.ts';
import type { Cause } from '../step/cause.ts';
import type { BlockingStep, PlainEvent, WorkflowCall, WorkflowState } from '../step/workflow-state.ts';
import { InspectedActors, type InspectionOptions } from './actors.ts';
import { type SeenSnapshot, wireBase, type WireEvent, type WireHead } from './wire.ts';
import type { WorkflowEntry } from '../journal/read.ts';

/**
 * What the Stately inspector is told, from the records of any number of workflows. The same records in the same order give the
 * same events, and an actor is always told of before anything refers to it.
 */
export function inspectEvents(entries: Iterable<WorkflowEntry>, options: InspectionOptions = {}): WireEvent[] {
  const inspection = new Inspection(options);
  return [...entries].flatMap((one) => inspection.take(one));
}

/** The same, record by record. */
export class Inspection {
  readonly #options: InspectionOptions;
  readonly #actors: InspectedActors;
  readonly #states = new Map<string, WorkflowState>();

  constructor(options: InspectionOptions = {}) {
    this.#options = options;
    this.#actors = new InspectedActors(options);
  }

  /** The events of a record; only what a machine took makes any. */
  take({ address, entry }: WorkflowEntry): WireEvent[] {
    if ('failed' in entry) return this.#fail(address, entry.seq, entry.failed);
    if (!('commit' in entry)) return [];
    const telling = new Telling(address, entry.seq, entry.commit.at);
    this.#commit(address, entry.commit, telling);
    return telling.events;
  }

  #commit(address: string, { cause, state }: CommitRecord, telling: Telling): void {
    const step: Step = { address, cause, state, before: this.#states.get(address), telling };
    const event = seenEvent(cause, this.#options);
    this.#states.set(address, state);
    this.#learn(step, event);
    this.#tellActor(address, telling);
    for (const [childId, call] of Object.entries(state.calls)) {
      this.#tellActor(sessionOf(address, childId, call), telling);
    }
    // A timer may only send a message; then the machine took nothing.
    if (!event) return;
    const sourceId = sourceOf(address, cause);
    if (sourceId !== undefined) this.#tellActor(sourceId, telling);
    this.#tellEnds(step, event);
    this.#tellTaken(step, event);
    this.#tellBegins(step);
  }

  /** The machine took nothing: its state is what it was, and it is in error. */
  #fail(address: string, seq: number, failed: BlockingStep): WireEvent[] {
    const before = this.#states.get(address);
    const event = seenEvent(failed.cause, this.#options);
    if (!before || !event) return [];
    const state = { ...before, failed };
    this.#states.set(address, state);
    const telling = new Telling(address, seq, failed.at);
    this.#tellActor(address, telling);
    this.#tellTaken({ address, cause: failed.cause, state, before, telling }, event);
    return telling.events;
  }

  #tellTaken({ address, cause, state, telling }: Step, event: PlainEvent): void {
    const sourceId = sourceOf(address, cause);
    const head = { sessionId: address, rootId: this.#actors.rootOf(address) };
    const source = sourceId === undefined ? {} : { sourceId };
    telling.add(head, (base) => ({ type: '@xstate.event', ...source, event, ...base }));
    const snapshot = seenSnapshot(address, state, this.#options);
    telling.add(head, (base) => ({ type: '@xstate.snapshot', event, snapshot, ...base }));
  }

  /** What the record says about actors, before any of them is told. */
  #learn({ address, state, before }: Step, event: PlainEvent | undefined): void {
    if (state.parent) this.#actors.setParent(address, state.parent.address);
    const definition = this.#actors.definitionOf(address);
    const value = valueOf(state.snapshot);
    definition.see(value, { isEnd: state.status === 'done' });
    if (before?.incarnation === state.incarnation && event) {
      definition.seeTransition(valueOf(before.snapshot), value, event.type);
    }
    for (const [childId, call] of Object.entries(state.calls)) {
      if (call.kind !== 'ask') this.#actors.setParent(sessionOf(address, childId, call), address);
    }
  }

  /** Tells of an actor and of those above it, what was not told already. */
  #tellActor(actor: string, telling: Telling): void {
    for (const { sessionId, rootId, name, parentId, definition } of this.#actors.untold(actor)) {
      telling.add({ sessionId, rootId }, (base) => ({
        type: '@xstate.actor',
        name,
        ...(parentId === undefined ? {} : { parentId }),
        definition: definition.text,
        snapshot: this.#snapshotAlone(sessionId),
        ...base,
      }));
    }
  }

  /** Without the children, which are told of after it. */
  #snapshotAlone(sessionId: string): SeenSnapshot {
    const state = this.#states.get(sessionId);
    if (!state) return { status: 'active' };
    const { children: _children, ...snapshot } = seenSnapshot(sessionId, state, this.#options);
    return snapshot;
  }

  /** Activities and commands that the machine waits for no more: with a result, or stopped. */
  #tellEnds(step: Step, event: PlainEvent): void {
    for (const [childId, call] of Object.entries(step.before?.calls ?? {})) {
      if (!isWork(call) || step.state.calls[childId]?.effectId === call.effectId) continue;
      const hasResult = step.cause.kind === 'result' && step.cause.effectId === call.effectId;
      const status = event.type.startsWith('xstate.error.') ? 'error' : 'done';
      if (hasResult) this.#tellWork(step, childId, { event, status });
      else this.#tellWork(step, childId, { event: { type: 'xstate.stop' }, status: 'stopped' });
    }
  }

  /** Activities and commands that the machine waits for from here on, also where one of that id was there before. */
  #tellBegins(step: Step): void {
    for (const [childId, call] of Object.entries(step.state.calls)) {
      if (!isWork(call) || step.before?.calls[childId]?.effectId === call.effectId) continue;
      this.#tellWork(step, childId, { event: { type: 'xstate.init' }, status: 'active' });
    }
  }

  #tellWork(
    { address, telling }: Step,
    childId: string,
    { event, status }: { event: PlainEvent; status: SeenSnapshot['status'] },
  ): void {
    const head = { sessionId: `${address}/${childId}`, rootId: this.#actors.rootOf(address) };
    telling.add(head, (base) => ({ type: '@xstate.snapshot', event, snapshot: { status }, ...base }));
  }
}

interface Step {
  readonly address: string;
  readonly cause: Cause;
  readonly state: WorkflowState;
  /** Undefined at its first. */
  readonly before: WorkflowState | undefined;
  readonly telling: Telling;
}

/** The events of one record, numbered. */
class Telling {
  readonly events: WireEvent[] = [];
  readonly #address: string;
  readonly #seq: number;
  readonly #at: number;

  constructor(address: string, seq: number, at: number) {
    this.#address = address;
    this.#seq = seq;
    this.#at = at;
  }

  add(
    { sessionId, rootId }: Pick<WireHead, 'sessionId' | 'rootId'>,
    make: (base: ReturnType<typeof wireBase>) => WireEvent,
  ): void {
    const id = `${this.#address}#${this.#seq}.${this.events.length}`;
    this.events.push(make(wireBase({ id, at: this.#at, sessionId, rootId })));
  }
}

/** Who verifiably sent it; what it is the result of; the machine itself for its own timers; nobody for a start by hand. */
function sourceOf(address: string, cause: Cause): string | undefined {
  if (cause.kind === 'result') return `${address}/${cause.call}`;
  if ('mail' in cause && cause.mail) return cause.mail.from;
  return cause.kind === 'start' ? undefined : address;
}

function isWork(call: WorkflowCall): boolean {
  return call.kind === 'activity' || call.kind === 'command';
}

interface Shown {
  readonly withContext?: boolean;
}

/** The session of what a workflow waits for: an address, or a name below its own that no address can be. */
function sessionOf(address: string, childId: string, call: WorkflowCall): string {
  if (call.kind === 'machine') return call.address;
  return call.kind === 'ask' ? call.to : `${address}/${childId}`;
}

/** A workflow's state as the inspector shows it; what it remembers only when asked for. */
function seenSnapshot(address: string, state: WorkflowState, { withContext = false }: Shown): SeenSnapshot {
  const { snapshot, output, failed } = state;
  // To XState an actor that throws is in error, whatever its snapshot was.
  const { status, error } = failed ? { status: 'error' as const, error: failed.failure } : state;
  const value = valueOf(snapshot);
  const children = Object.fromEntries(
    Object.entries(state.calls).map(([childId, call]) => [
      childId,
      { xstate$$type: 1 as const, id: sessionOf(address, childId, call) },
    ]),
  );
  return {
    status,
    ...(value === undefined ? {} : { value }),
    children,
    ...(error === undefined ? {} : { error }),
    ...(withContext ? { context: contextOf(snapshot), ...(output === undefined ? {} : { output }) } : {}),
  };
}

function contextOf(snapshot: unknown): unknown {
  return typeof snapshot === 'object' && snapshot !== null && 'context' in snapshot ? snapshot.context : undefined;
}

/**
 * The event that the machine took; none when a timer only sent a message, or an event was for another workflow. Messages are shown whole; what a machine is begun
 * with, and what children and activities return, is context on its way, so it is shown with the context only.
 */
function seenEvent(cause: Cause, { withContext = false }: Shown): PlainEvent | undefined {
  if (cause.kind === 'start') return { type: 'xstate.init', ...(withContext ? { input: cause.input } : {}) };
  const event = 'event' in cause ? cause.event : undefined;
  if (!event || withContext || (cause.kind !== 'ended' && cause.kind !== 'result')) return event;
  const { output: _output, ...shown } = event;
  return { ...shown, type: event.type };
}
