import type { AnyMachineSnapshot, AnyStateMachine, Snapshot } from 'xstate';
import { InvalidInput } from '../errors.ts';
import { findNonJson, withoutUndefined } from '../message/json-value.ts';
import type { Effect } from './effect.ts';
import { effectOf, type ExecutedAction } from './effect-of.ts';
import { inert } from './inert.ts';
import { createStepScope, type StepAround } from './step-scope.ts';
import { errorFacts, type ErrorFacts } from './plain-facts.ts';
import type { PlainEvent } from './workflow-state.ts';

export interface StepInput extends StepAround {
  /** The snapshot as it lies in the journal; undefined for the first step. Never changed. */
  readonly before: unknown;
  /** What happened; nothing for the first step. */
  readonly event?: PlainEvent;
  /** For the first step. */
  readonly input?: unknown;
}

export interface Step {
  /** XState's persisted snapshot: JSON that the next step can begin from. */
  readonly snapshot: unknown;
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  readonly output?: unknown;
  readonly error?: ErrorFacts;
  readonly effects: readonly Effect[];
  /** Whether any transition was taken for the event; otherwise nothing changed. */
  readonly isHandled: boolean;
}

/** A machine that never comes to rest fails its step, instead of holding up its host for ever. */
const MICROSTEPS_MAX = 5_000;

/**
 * One step of a machine, pure: nothing is started, sent or executed, and the snapshot given is not changed. The machine is
 * stepped with an actor scope of our own, because the exported `transition()` of XState makes an actor, and runs the
 * context's factory, each time. Throws what the machine's guards, assigns and expressions throw, and InvalidInput for
 * what a durable machine may not do.
 */
export function step(machine: AnyStateMachine, options: StepInput): Step {
  const { before, parent, event, input } = options;
  const inertMachine = inert(machine);
  inertMachine.options.maxIterations = Math.min(machine.options.maxIterations ?? Infinity, MICROSTEPS_MAX);
  const { scope, executed, transitionsTaken, restored } = createStepScope(inertMachine, options);
  const from = before === undefined ? undefined : inertMachine.restoreSnapshot(restorable(before), scope);
  if (from) restored(from);
  const next: AnyMachineSnapshot =
    from && event ? inertMachine.transition(from, event, scope) : inertMachine.getInitialSnapshot(scope, input);
  // XState turns an exception of the first step into a snapshot that cannot be told from a machine that failed.
  if (!from && next.status === 'error') throw next.error;
  assertAllStarted(machine, { before: from, next, executed });
  assertJson(machine, next);
  const effects = executed
    .map((action) => effectOf(action, { self: scope.self, parent, machine }))
    .filter((one) => one !== undefined);
  return {
    snapshot: persisted(inertMachine, next),
    status: next.status,
    ...(next.status === 'done' && next.output !== undefined ? { output: next.output as unknown } : {}),
    ...(next.status === 'error' ? { error: errorFacts(next.error) } : {}),
    effects,
    isHandled: from === undefined || transitionsTaken() > 0 || next.status !== from.status,
  };
}

/**
 * A copy, because restoreSnapshot changes what it is given; with the field that it adds to a copy of that, so that all of its
 * snapshots are of one shape (see `withFields`).
 */
function restorable(snapshot: unknown): Snapshot<unknown> {
  return Object.assign(structuredClone(snapshot) as Snapshot<unknown>, { _nodes: undefined });
}

/** `spawn()` inside `assign` leaves no action behind, so such a child would never be started. */
function assertAllStarted(
  machine: AnyStateMachine,
  {
    before,
    next,
    executed,
  }: { before: AnyMachineSnapshot | undefined; next: AnyMachineSnapshot; executed: readonly ExecutedAction[] },
): void {
  const started = new Set<unknown>();
  for (const { type, params } of executed) {
    if (type === 'xstate.spawnChild') started.add((params as { actorRef?: unknown }).actorRef);
  }
  for (const [id, ref] of Object.entries(next.children)) {
    if (ref === undefined || started.has(ref) || before?.children[id] === ref) continue;
    throw new InvalidInput(
      `The machine ${machine.id} made the child ${JSON.stringify(id)} with spawn() inside assign or context, which a durable step cannot see.`,
      {
        hint: 'Use the action spawnChild(src, { id, input }), or invoke.',
      },
    );
  }
}

/** What JSON would lose would be lost at the next restart. */
function assertJson(machine: AnyStateMachine, next: AnyMachineSnapshot): void {
  const where =
    findNonJson(next.context, 'context') ??
    (next.output === undefined ? undefined : findNonJson(next.output, 'output'));
  if (where === undefined) return;
  throw new InvalidInput(`The machine ${machine.id} put something at ${where} that JSON cannot keep.`, {
    hint: 'Use text, numbers, true/false, null, arrays and plain objects; no Date, Map, Set, Error, function or actor reference.',
  });
}

function persisted(machine: AnyStateMachine, next: AnyMachineSnapshot): unknown {
  const snapshot = machine.getPersistedSnapshot(next) as unknown as Record<string, unknown>;
  // What is undefined would be there until the next restart, and could be counted meanwhile.
  snapshot['context'] = withoutUndefined(snapshot['context']);
  return snapshot['status'] === 'error' ? { ...snapshot, error: errorFacts(snapshot['error']) } : snapshot;
}
