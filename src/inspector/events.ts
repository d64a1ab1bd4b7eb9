import { valueOf } from '../journal/describe.ts';
import type { CommitRecord } from '../journal/record.ts';
import type { Cause } from '../step/cause.ts';
import type { BlockingStep, PlainEvent, WorkflowCall, WorkflowState } from '../step/workflow-state.ts';
import { InspectedActors, type InspectionOptions } from './actors.ts';
import { type SeenSnapshot, wireBase, type WireEvent, type WireHead } from './wire.ts';
import type { WorkflowEntry } from '../journal/read.ts';

/**
 * The events for the Stately inspector, from the records of any number of workflows. Deterministic: the same records in the same
 * order give the same events. An actor is always announced before anything refers to it.
 */
export function inspectEvents(entries: Iterable<WorkflowEntry>, options: InspectionOptions = {}): WireEvent[] {
  const inspection = new Inspection(options);
  return [...entries].flatMap((one) => inspection.take(one));
}

/** The same, one record at a time. */
export class Inspection {
  readonly #options: InspectionOptions;
  readonly #actors: InspectedActors;
  readonly #states = new Map<string, WorkflowState>();

  constructor(options: InspectionOptions = {}) {
    this.#options = options;
    this.#actors = new InspectedActors(options);
  }

  /** The events of a record; empty unless a machine took something. */
  take({ address, entry }: WorkflowEntry): WireEvent[] {
    if ('failed' in entry) return this.#fail(address, entry.seq, entry.failed);
    if (!('commit' in entry)) return [];
    const out = new RecordEvents(address, entry.seq, entry.commit.at);
    this.#commit(address, entry.commit, out);
    return out.events;
  }

  #commit(address: string, { cause, state }: CommitRecord, out: RecordEvents): void {
    const step: InspectedStep = { address, cause, state, before: this.#states.get(address), out };
    const event = seenEvent(cause, this.#options);
    this.#states.set(address, state);
    this.#learn(step, event);
    this.#addActor(address, out);
    for (const [childId, call] of Object.entries(state.calls)) {
      this.#addActor(sessionOf(address, childId, call), out);
    }
    // A timer may only send a delayed message; then the machine took nothing.
    if (!event) return;
    const sourceId = sourceOf(address, cause);
    if (sourceId !== undefined) this.#addActor(sourceId, out);
    this.#addEnds(step, event);
    this.#addTaken(step, event);
    this.#addBegins(step);
  }

  /** The machine took nothing: its state is unchanged, and its status is an error. */
  #fail(address: string, seq: number, failed: BlockingStep): WireEvent[] {
    const before = this.#states.get(address);
    const event = seenEvent(failed.cause, this.#options);
    if (!before || !event) return [];
    const state = { ...before, failed };
    this.#states.set(address, state);
    const out = new RecordEvents(address, seq, failed.at);
    this.#addActor(address, out);
    this.#addTaken({ address, cause: failed.cause, state, before, out }, event);
    return out.events;
  }

  #addTaken({ address, cause, state, out }: InspectedStep, event: PlainEvent): void {
    const sourceId = sourceOf(address, cause);
    const head = { sessionId: address, rootId: this.#actors.rootOf(address) };
    const source = sourceId === undefined ? {} : { sourceId };
    out.add(head, (base) => ({ type: '@xstate.event', ...source, event, ...base }));
    const snapshot = seenSnapshot(address, state, this.#options);
    out.add(head, (base) => ({ type: '@xstate.snapshot', event, snapshot, ...base }));
  }

  /** Learns what the record says about actors, before any of them is announced. */
  #learn({ address, state, before }: InspectedStep, event: PlainEvent | undefined): void {
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

  /** Announces an actor and its ancestors, as far as they are new or have changed. */
  #addActor(actor: string, out: RecordEvents): void {
    for (const { sessionId, rootId, name, parentId, definition } of this.#actors.unreported(actor)) {
      out.add({ sessionId, rootId }, (base) => ({
        type: '@xstate.actor',
        name,
        ...(parentId === undefined ? {} : { parentId }),
        definition: definition.text,
        snapshot: this.#snapshotAlone(sessionId),
        ...base,
      }));
    }
  }

  /** The snapshot without the children, which are announced after it. */
  #snapshotAlone(sessionId: string): SeenSnapshot {
    const state = this.#states.get(sessionId);
    if (!state) return { status: 'active' };
    const { children: _children, ...snapshot } = seenSnapshot(sessionId, state, this.#options);
    return snapshot;
  }

  /** Activities and commands that the machine no longer waits for: with a result, or stopped. */
  #addEnds(step: InspectedStep, event: PlainEvent): void {
    for (const [childId, call] of Object.entries(step.before?.calls ?? {})) {
      if (!isWork(call) || step.state.calls[childId]?.effectId === call.effectId) continue;
      const hasResult = step.cause.kind === 'result' && step.cause.effectId === call.effectId;
      const status = event.type.startsWith('xstate.error.') ? 'error' : 'done';
      if (hasResult) this.#addWork(step, childId, { event, status });
      else this.#addWork(step, childId, { event: { type: 'xstate.stop' }, status: 'stopped' });
    }
  }

  /** Activities and commands that the machine waits for from here on, also if they replace one of the same id. */
  #addBegins(step: InspectedStep): void {
    for (const [childId, call] of Object.entries(step.state.calls)) {
      if (!isWork(call) || step.before?.calls[childId]?.effectId === call.effectId) continue;
      this.#addWork(step, childId, { event: { type: 'xstate.init' }, status: 'active' });
    }
  }

  #addWork(
    { address, out }: InspectedStep,
    childId: string,
    { event, status }: { event: PlainEvent; status: SeenSnapshot['status'] },
  ): void {
    const head = { sessionId: `${address}/${childId}`, rootId: this.#actors.rootOf(address) };
    out.add(head, (base) => ({ type: '@xstate.snapshot', event, snapshot: { status }, ...base }));
  }
}

interface InspectedStep {
  readonly address: string;
  readonly cause: Cause;
  readonly state: WorkflowState;
  /** Undefined at the first step. */
  readonly before: WorkflowState | undefined;
  readonly out: RecordEvents;
}

/** The events of one record, numbered. */
class RecordEvents {
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

/** The verified sender; the work whose result it is; the machine itself for its own timers; undefined for a start by hand. */
function sourceOf(address: string, cause: Cause): string | undefined {
  if (cause.kind === 'result') return `${address}/${cause.call}`;
  if ('mail' in cause && cause.mail) return cause.mail.from;
  return cause.kind === 'start' ? undefined : address;
}

function isWork(call: WorkflowCall): boolean {
  return call.kind === 'activity' || call.kind === 'command';
}

interface Visibility {
  readonly withContext?: boolean;
}

/** The session id of what a workflow waits for: an address, or a name below the workflow's that cannot be an address. */
function sessionOf(address: string, childId: string, call: WorkflowCall): string {
  if (call.kind === 'machine') return call.address;
  return call.kind === 'ask' ? call.to : `${address}/${childId}`;
}

/** A workflow's state as the inspector shows it; context and output only with `withContext`. */
function seenSnapshot(address: string, state: WorkflowState, { withContext = false }: Visibility): SeenSnapshot {
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
 * The event that the machine took; undefined if a timer only sent a message, or the event was for another workflow. Messages are
 * shown whole. Input, and what children and activities return, usually becomes context, so it is shown only with `withContext`.
 */
function seenEvent(cause: Cause, { withContext = false }: Visibility): PlainEvent | undefined {
  if (cause.kind === 'start') return { type: 'xstate.init', ...(withContext ? { input: cause.input } : {}) };
  const event = 'event' in cause ? cause.event : undefined;
  if (!event || withContext || (cause.kind !== 'ended' && cause.kind !== 'result')) return event;
  const { output: _output, ...shown } = event;
  return { ...shown, type: event.type };
}
