import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition, StateValue } from 'xstate';
import { actionsText, graphName, stateLines, transitionLabel } from './labels.ts';

/** A machine as a picture needs it: states in the order in which they are written, and the edges between them. */
export interface Graph {
  readonly root: GraphState;
  readonly edges: readonly GraphEdge[];
}

export interface GraphState {
  readonly kind: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  /** The state's key; for the root, the id of the machine. */
  readonly key: string;
  /** The title, with invisible characters escaped, but not escaped for a format. */
  readonly title: string;
  /** What it invokes and what it does on entry and exit. */
  readonly lines: readonly string[];
  /** Its transitions without a target. */
  readonly internal: readonly string[];
  readonly isActive: boolean;
  readonly parent: GraphState | undefined;
  readonly children: readonly GraphState[];
  readonly initial: { readonly state: GraphState; readonly label: string } | undefined;
}

export interface GraphEdge {
  readonly source: GraphState;
  /** Several targets are entered together, one in each region. */
  readonly targets: readonly [GraphState, ...GraphState[]];
  readonly label: string;
}

type Building = { -readonly [Key in keyof GraphState]: GraphState[Key] } & { children: GraphState[] };
type StatesByNode = Map<AnyStateNode, Building>;

/** Reads the states and edges of a machine and, if `value` is given, which states are current. */
export function readGraph(machine: AnyStateMachine, value?: StateValue): Graph {
  const nodes: AnyStateNode[] = [];
  const states: StatesByNode = new Map();
  const active = value === undefined ? new Set<AnyStateNode>() : activeNodes(machine.root, value);
  const add = (node: AnyStateNode, parent?: Building): Building => {
    const state: Building = {
      kind: node.type,
      key: node.parent ? node.key : machine.id,
      title: titleOf(node, machine),
      lines: stateLines(node),
      internal: transitionsOf(node)
        .filter(({ target }) => target === undefined)
        .map((transition) => transitionLabel(transition)),
      isActive: active.has(node),
      parent,
      children: [],
      initial: undefined,
    };
    nodes.push(node);
    states.set(node, state);
    for (const child of Object.values(node.states)) state.children.push(add(child, state));
    return state;
  };
  const root = add(machine.root);
  for (const node of nodes) setInitial(node, states);
  return { root, edges: nodes.flatMap((node) => edgesOf(node, states)) };
}

/** Whether the state is inside `ancestor`, at any depth. A state is not inside itself. */
export function isWithin(state: GraphState, ancestor: GraphState): boolean {
  for (let at = state.parent; at; at = at.parent) {
    if (at === ancestor) return true;
  }
  return false;
}

/** This state and every state inside it, in the order in which they are written. */
export function statesOf(state: GraphState): GraphState[] {
  return [state, ...state.children.flatMap((child) => statesOf(child))];
}

function titleOf(node: AnyStateNode, machine: AnyStateMachine): string {
  const name = graphName(node.parent ? node.key : machine.id);
  if (node.type !== 'history') return name;
  return `${name} (${node.history === 'deep' ? 'deep history' : 'history'})`;
}

/** The current nodes, without the root, which always is current. */
function activeNodes(node: AnyStateNode, value: StateValue): Set<AnyStateNode> {
  const found = new Set<AnyStateNode>();
  const visit = (within: AnyStateNode, at: StateValue | undefined): void => {
    const entries = typeof at === 'string' ? [[at, undefined] as const] : Object.entries(at ?? {});
    for (const [key, below] of entries) {
      const child: AnyStateNode | undefined = Object.hasOwn(within.states, key) ? within.states[key] : undefined;
      if (!child) continue;
      found.add(child);
      visit(child, below);
    }
  };
  visit(node, value);
  return found;
}

function setInitial(node: AnyStateNode, states: StatesByNode): void {
  if (node.type !== 'compound') return;
  const { target, actions } = node.initial;
  const state = target?.[0] && states.get(target[0]);
  const building = states.get(node);
  const done = actionsText(actions);
  if (state && building) building.initial = { state, label: done === '' ? '' : `/ ${done}` };
}

function transitionsOf(node: AnyStateNode): AnyTransitionDefinition[] {
  return [...[...node.transitions.values()].flat(), ...(node.always ?? [])];
}

function edgesOf(node: AnyStateNode, states: StatesByNode): GraphEdge[] {
  const edges = transitionsOf(node).flatMap((transition) =>
    transition.target ? [edgeTo(node, transition.target, transitionLabel(transition), states)] : [],
  );
  return node.type === 'history' ? [...edges, ...defaultEdges(node, states)] : edges;
}

function edgeTo(node: AnyStateNode, target: readonly AnyStateNode[], label: string, states: StatesByNode): GraphEdge {
  const source = states.get(node);
  const [first, ...others] = target.map((to) => states.get(to)).filter((state) => state !== undefined);
  if (!source || !first) throw new TypeError(`The transition "${label}" leads out of the machine.`);
  return { source, targets: [first, ...others], label };
}

/** Where a history state leads if there is no history yet, if its author gave a target. */
function defaultEdges(node: AnyStateNode, states: StatesByNode): GraphEdge[] {
  const { parent, machine } = node;
  const target: unknown = node.config.target;
  const paths = [target].flat().filter((path) => typeof path === 'string');
  if (paths.length === 0 || !parent) return [];
  const targets = paths.map((path): AnyStateNode => {
    if (path.startsWith('#')) return machine.getStateNodeById(path);
    return keysOf(path).reduce<AnyStateNode>((at, key) => at.states[key] ?? at, parent);
  });
  return [edgeTo(node, targets, 'default', states)];
}

/** `a.b\\.c` → `a`, `b.c`, as XState divides a path. */
function keysOf(path: string): string[] {
  return (path.match(/(?:\\.|[^.\\])+/gs) ?? []).map((part) => part.replace(/\\(.)/gs, '$1'));
}
