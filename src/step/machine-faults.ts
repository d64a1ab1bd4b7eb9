import type { AnyStateMachine, StateNode } from 'xstate';
import { EVERYONE } from '../message/address.ts';
import { nearest } from '../message/nearest.ts';
import { actionRunOf } from '../workflow/action.ts';
import { durableWorkOf } from '../workflow/activity.ts';
import { makerOf } from '../workflow/xstate-logic.ts';

/** Everything that keeps a machine, or one of its child machines, from running durably. */
export function faultsOf(machine: AnyStateMachine, seen = new Set<AnyStateMachine>()): MachineFault[] {
  if (seen.has(machine)) return [];
  seen.add(machine);
  const faults: MachineFault[] = [];
  for (const [name, logic] of Object.entries(machine.implementations.actors)) {
    if (isMachine(logic)) faults.push(...faultsBelow(name, logic, seen));
    else faults.push(...logicFaults(name, logic));
  }
  for (const [name, implementation] of Object.entries(machine.implementations.actions)) {
    if (!isBuiltin(implementation) && !actionRunOf(implementation)) faults.push(foreignAction(name));
  }
  visit(machine.root, (node) => faults.push(...nodeFaults(machine, node, seen)));
  return faults;
}

function faultsBelow(name: string, machine: AnyStateMachine, seen: Set<AnyStateMachine>): MachineFault[] {
  return faultsOf(machine, seen).map(([where, ...rest]): MachineFault => [`${name} › ${where}`, ...rest]);
}

function nodeFaults(machine: AnyStateMachine, node: ConfiguredNode, seen: Set<AnyStateMachine>): MachineFault[] {
  const at = node.id;
  const written = [node.config.invoke ?? []].flat() as readonly { readonly src: unknown }[];
  const faults: MachineFault[] = [];
  for (const [index, invoked] of node.invoke.entries()) {
    const where = `invoke ${index + 1} of ${at}`;
    const { src } = invoked as { src: unknown };
    if (typeof src !== 'string' || src.startsWith('xstate.invoke.')) {
      const logic = written[index]?.src;
      faults.push(...inlineFaults(where, logic, "src: '<name>'"));
      if (isMachine(logic)) faults.push(...faultsBelow(where, logic, seen));
    } else if (!(src in machine.implementations.actors)) {
      faults.push([
        where,
        `names "${src}", which is not among the actors`,
        didYouMean(src, machine.implementations.actors, 'actors'),
      ]);
    }
    if ('onSnapshot' in invoked && invoked.onSnapshot) {
      faults.push([
        where,
        'has onSnapshot, but a child does not send its snapshots to its parent',
        'Have the child send an event instead: sendParent({ type: … }).',
      ]);
    }
  }
  for (const delay of Object.keys(node.config.after ?? {}))
    faults.push(...delayFaults(machine, delay, `after of ${at}`));
  for (const action of node.entry) faults.push(...actionFaults(machine, action, `entry of ${at}`));
  for (const action of node.exit) faults.push(...actionFaults(machine, action, `exit of ${at}`));
  const transitions = [
    ...[...node.transitions.values()].flat(),
    ...(node.always ?? []),
    ...(node.initial ? [node.initial] : []),
  ];
  for (const { eventType, actions, guard } of transitions as unknown as readonly AnyTransition[]) {
    const where = `${eventType ? `on ${eventType}` : 'a transition'} of ${at}`;
    for (const action of actions ?? []) faults.push(...actionFaults(machine, action, where));
    if (guard !== undefined) faults.push(...guardFaults(machine, guard, where));
  }
  return faults;
}

function actionFaults(machine: AnyStateMachine, action: unknown, where: string): MachineFault[] {
  if (typeof action === 'function') {
    if (!isBuiltin(action)) {
      return [
        [
          where,
          `has the inline action ${action.name || '(a function)'}`,
          `Name it under actions in setup(), as action((params, { effectId }) => …), and write { type: '<name>', params }.`,
        ],
      ];
    }
    const { type, id, delay } = action as { type?: unknown; id?: unknown; delay?: unknown };
    // XState makes this of `after`, which is checked on its own.
    if (String(id).startsWith('xstate.after.')) return [];
    if (typeof delay === 'string') return delayFaults(machine, delay, `${where} (${String(type)})`);
    return type === 'xstate.spawnChild' ? spawnFaults(machine, action as never, where) : [];
  }
  const type = typeof action === 'string' ? action : String((action as { type?: unknown }).type);
  if (type.startsWith('xstate.') || type in machine.implementations.actions) return [];
  return [
    [
      where,
      `names the action "${type}", which is not among the actions`,
      didYouMean(type, machine.implementations.actions, 'actions'),
    ],
  ];
}

function spawnFaults(
  machine: AnyStateMachine,
  { src, id, syncSnapshot }: { src: unknown; id: unknown; syncSnapshot?: boolean },
  where: string,
): MachineFault[] {
  if (typeof src !== 'string') return inlineFaults(where, src, "spawnChild('<name>', { id: '…' })");
  if (!(src in machine.implementations.actors)) {
    return [
      [
        where,
        `spawns "${src}", which is not among the actors`,
        didYouMean(src, machine.implementations.actors, 'actors'),
      ],
    ];
  }
  if (id === undefined) return [[where, `spawns "${src}" without an id`, `Write spawnChild('${src}', { id: '…' }).`]];
  if (syncSnapshot)
    return [
      [
        where,
        'has syncSnapshot, but a child does not send its snapshots to its parent',
        'Have the child send an event instead: sendParent({ type: … }).',
      ],
    ];
  return [];
}

/** XState takes an unknown name for no delay at all: what should wait would happen at once. */
function delayFaults(machine: AnyStateMachine, name: string, where: string): MachineFault[] {
  const { delays } = machine.implementations;
  if (name in delays || Number.isFinite(Number(name))) return [];
  return [[where, `names the delay "${name}", which is not among the delays`, didYouMean(name, delays, 'delays')]];
}

function guardFaults(machine: AnyStateMachine, guard: unknown, where: string): MachineFault[] {
  if (typeof guard === 'function') {
    // Of and(), or() and not().
    const { guards = [] } = guard as { guards?: readonly unknown[] };
    return guards.flatMap((one) => guardFaults(machine, one, where));
  }
  const type = typeof guard === 'string' ? guard : String((guard as { type?: unknown }).type);
  if (type in machine.implementations.guards || type.startsWith('xstate.')) return [];
  return [
    [
      where,
      `names the guard "${type}", which is not among the guards`,
      didYouMean(type, machine.implementations.guards, 'guards'),
    ],
  ];
}

function foreignAction(name: string): MachineFault {
  return [
    `actions.${name}`,
    'is a plain function, which would see a later context than that of its step',
    `Write ${name}: action((params, { effectId }) => …), and give it what it needs: { type: '${name}', params: ({ context }) => … }.`,
  ];
}

function didYouMean(name: string, known: Readonly<Record<string, unknown>>, where: string): string {
  const near = nearest(name, Object.keys(known));
  return near ? `Did you mean ${near}?` : `Name it under ${where} in setup().`;
}

/** XState's own actions have a `resolve`. */
function isBuiltin(action: unknown): boolean {
  return typeof action === 'function' && 'resolve' in action;
}

type ConfiguredNode = Pick<
  StateNode,
  'id' | 'config' | 'invoke' | 'entry' | 'exit' | 'transitions' | 'always' | 'initial'
> & {
  readonly states: Readonly<Record<string, ConfiguredNode>>;
};

interface AnyTransition {
  readonly eventType?: string | null;
  readonly actions?: readonly unknown[];
  readonly guard?: unknown;
}

function visit(node: ConfiguredNode, look: (node: ConfiguredNode) => void): void {
  look(node);
  for (const child of Object.values(node.states)) visit(child, look);
}

/** The place, what is wrong there, and what to write instead. */
export type MachineFault = readonly [where: string, why: string, instead: string];

/** What is wrong with logic, other than a machine, that is named among the actors. */
function logicFaults(name: string, logic: unknown): MachineFault[] {
  const work = durableWorkOf(logic);
  if (!work) return [[`actors.${name}`, `is ${kindOf(logic)}, which cannot resume after a restart`, insteadOf(logic)]];
  if (!('to' in work) || work.to !== EVERYONE) return [];
  return [
    [`actors.${name}`, 'asks everybody, but an ask takes one answer', 'Broadcast, and accept the answers as mail.'],
  ];
}

/** What is wrong with inline logic; `named` is how to write it with a name instead. */
function inlineFaults(where: string, logic: unknown, named: string): MachineFault[] {
  const isSound = isMachine(logic) || durableWorkOf(logic) !== undefined;
  const first = isSound ? '' : `${insteadOf(logic)} `;
  const why = `has ${isMachine(logic) ? 'an inline machine' : `inline ${kindOf(logic)}`}, which a restart cannot find again`;
  return [[where, why, `${first}Name it under actors in setup() and write ${named}.`]];
}

function isMachine(logic: unknown): logic is AnyStateMachine {
  return typeof logic === 'object' && logic !== null && 'root' in logic && 'implementations' in logic;
}

function kindOf(logic: unknown): string {
  if (isMachine(logic)) return 'a machine';
  const work = durableWorkOf(logic);
  const maker = work && !('creator' in work) ? work.kind : makerOf(logic);
  return maker === undefined ? 'logic' : `${maker} logic`;
}

function insteadOf(logic: unknown): string {
  switch (makerOf(logic)) {
    case 'fromCallback':
      return 'Write one wait as fromPromise(async ({ input, signal }) => …) and invoke it again for the next; for an interval use after; for what comes from outside, have an agent send mail.';
    case 'fromObservable':
      return 'Write one value as fromPromise(async ({ input, signal }) => …) and invoke it again for the next, or have an agent send mail.';
    case 'fromTransition':
      return 'Write it as a machine: setup({}).createMachine({ context, on: { … } }).';
    default:
      return "Write it as activity(async (input, { effectId, signal }) => …), command((input) => ({ file, args })), ask('<address>'), or as a machine.";
  }
}
