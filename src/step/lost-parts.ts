import type { AnyStateMachine, StateNode } from 'xstate';
import { durableWorkOf } from '../workflow/activity.ts';
import type { Timer, WorkflowCall, WorkflowState } from './workflow-state.ts';

/**
 * What a workflow's state needs and a machine lacks: current states, states that history leads back to, the logic of pending
 * calls, the transitions of pending timers. Each text completes the sentence “it needs …”. Empty if the machine can resume from
 * the state. Pure.
 */
export function lostParts(machine: AnyStateMachine, { snapshot, calls, timers }: WorkflowState): string[] {
  const { value, historyValue = {} } = snapshot as { value: unknown; historyValue?: Readonly<Record<string, unknown>> };
  const active: MachineNode[] = [];
  const all = nodesOf(machine.root);
  const lost = [...lostStates(machine.root, value, { path: [], active }), ...lostHistory(historyValue, all)];
  // Calls and timers belong to states; without the states nothing can be said about them.
  if (lost.length > 0) return lost;
  return [
    ...Object.entries(calls).flatMap(([id, call]) => lostCall(machine, { id, call, active, all })),
    ...Object.entries(timers).flatMap(([name, timer]) => lostTimer(name, timer, { active, all })),
  ];
}

/** The documented members of XState's node, and members that its types hide. */
type MachineNode = Pick<StateNode, 'id' | 'type' | 'entry' | 'exit' | 'transitions' | 'always' | 'initial'> & {
  readonly states: Readonly<Record<string, MachineNode>>;
  readonly invoke: readonly { readonly id: string; readonly src: unknown }[];
};

function nodesOf(node: MachineNode): MachineNode[] {
  return [node, ...Object.values(node.states).flatMap(nodesOf)];
}

/** Walks a state value, such as `{ build: 'testing' }`; adds its nodes to `active`. */
function lostStates(
  node: MachineNode,
  value: unknown,
  { path, active }: { path: readonly string[]; active: MachineNode[] },
): string[] {
  active.push(node);
  const inner = typeof value === 'string' ? { [value]: {} } : ((value ?? {}) as Readonly<Record<string, unknown>>);
  const names = Object.keys(inner);
  const named = (name: string): string => `the state "${[...path, name].join('.')}"`;
  const own = path.length === 0 ? 'its first level' : `the state "${path.join('.')}"`;
  const missing = names.filter((name) => !node.states[name] || node.states[name].type === 'history');
  if (missing.length > 0) return missing.map(named);
  if (node.type === 'compound' && names.length !== 1) return [`${own} without states in it`];
  const regions = Object.entries(node.states).filter(([, { type }]) => node.type === 'parallel' && type !== 'history');
  const added = regions.filter(([name]) => !(name in inner)).map(([name]) => `${own} without the region "${name}"`);
  if (added.length > 0) return added;
  return names.flatMap((name) => {
    const child = node.states[name] as MachineNode;
    // The workflow entered this state when it was not final, so it would never end.
    if (path.length === 0 && node.type === 'compound' && child.type === 'final')
      return [`${named(name)} as one that is not final`];
    return lostStates(child, inner[name], { path: [...path, name], active });
  });
}

/** `historyValue` has, by the id of each history state, the nodes that it leads back to. */
function lostHistory(historyValue: Readonly<Record<string, unknown>>, all: readonly MachineNode[]): string[] {
  const ids = new Set(all.map(({ id }) => id));
  return Object.entries(historyValue)
    .filter(([history]) => ids.has(history))
    .flatMap(([, nodes]) => nodes as readonly { readonly id: string }[])
    .filter(({ id }) => !ids.has(id))
    .map(({ id }) => `the state "${id}", to which history leads back`);
}

function lostCall(
  machine: AnyStateMachine,
  {
    id,
    call,
    active,
    all,
  }: { id: string; call: WorkflowCall; active: readonly MachineNode[]; all: readonly MachineNode[] },
): string[] {
  const { src, kind } = call;
  const what = `the ${kind} "${src}"`;
  const logic: unknown = machine.implementations.actors[src];
  if (logic === undefined) return [`${what} among its actors, for which it waits`];
  if ((durableWorkOf(logic)?.kind ?? 'machine') !== kind) return [`"${src}" among its actors as ${kind}`];
  const isInvoked = active.some(({ invoke }) => invoke.some((one) => one.id === id && one.src === src));
  if (isInvoked || maySpawn(machine, { id, src }, all)) return [];
  return [`${what} under the id "${id}" in a state that it is in`];
}

/** Whether some action of the machine may start such a child; what `enqueueActions` does is not known until it runs. */
function maySpawn(machine: AnyStateMachine, child: { id: string; src: string }, all: readonly MachineNode[]): boolean {
  const written = all.flatMap(({ entry, exit, transitions, always = [], initial }) => [
    ...entry,
    ...exit,
    ...[...[...transitions.values()].flat(), ...always, initial].flatMap((one) => one?.actions ?? []),
  ]);
  const actions = [...written, ...Object.values(machine.implementations.actions)] as readonly Partial<SpawnAction>[];
  return actions.some(({ type, src, id }) => {
    if (type === 'xstate.enqueueActions') return true;
    return type === 'xstate.spawnChild' && src === child.src && (typeof id === 'function' || id === child.id);
  });
}

interface SpawnAction {
  readonly type: string;
  readonly src: unknown;
  readonly id: unknown;
}

/** A timer whose event no transition takes would fire to no effect. */
function lostTimer(
  name: string,
  timer: Timer,
  { active, all }: { active: readonly MachineNode[]; all: readonly MachineNode[] },
): string[] {
  if (!('event' in timer)) return [];
  const { type } = timer.event;
  const [, delay, ...node] = type.startsWith('xstate.after.') ? type.slice('xstate.'.length).split('.') : [];
  if (delay !== undefined) {
    return active.some(({ transitions }) => transitions.has(type))
      ? []
      : [`"after ${delay}" in the state "${node.join('.')}"`];
  }
  const isTaken = all.some(({ transitions }) => [...transitions.keys()].some((one) => describes(one, type)));
  return isTaken ? [] : [`a transition for "${type}", which the timer "${name}" brings`];
}

/** `*`, `mouse.*`, or the type itself. */
function describes(descriptor: string, type: string): boolean {
  if (descriptor === '*' || descriptor === type) return true;
  return descriptor.endsWith('.*') && `${type}.`.startsWith(descriptor.slice(0, -1));
}
