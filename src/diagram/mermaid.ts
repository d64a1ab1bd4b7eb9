import type { AnyStateMachine, StateValue } from 'xstate';
import { type Graph, type GraphEdge, type GraphState, isWithin, readGraph, statesOf } from './model.ts';

/** A stroke without a fill is legible on light and dark backgrounds, and on a state with children. */
const ACTIVE_STYLE = 'stroke:#2563eb,stroke-width:3px';
const STAND_IN_STYLE = 'stroke-dasharray:4 4';

/** What `toMermaid` and `drawSvg` mark. */
export interface GraphOptions {
  /** The state value of a snapshot, whose states are marked as current. Default: none. */
  readonly value?: StateValue;
}

/**
 * Draws a machine as a Mermaid `stateDiagram-v2`, ending in a newline. Current states begin with `▶` and have the class
 * `active`. Deterministic; names in the machine are escaped.
 *
 * @example
 * ```ts
 * import { toMermaid } from 'agent-mailroom/runtime';
 * import { setup } from 'xstate';
 *
 * const machine = setup({}).createMachine({ id: 'ship', initial: 'done', states: { done: { type: 'final' } } });
 * console.log(toMermaid(machine, { value: 'done' }));
 * ```
 */
export function toMermaid(machine: AnyStateMachine, options: GraphOptions = {}): string {
  const graph = readGraph(machine, options.value);
  const edges = mermaidEdges(graph);
  const states = isRootShown(graph) ? stateLines(graph.root, edges) : contentLines(graph.root, edges);
  const lines = [...states, ...edges.lines, ...classLines(graph.root, edges)];
  return ['stateDiagram-v2', ...indented(lines), ''].join('\n');
}

/** A root that does nothing itself is not drawn; its states are drawn directly. */
function isRootShown({ root, edges }: Graph): boolean {
  const isTouched = edges.some(({ source, targets }) => source === root || targets.includes(root));
  return isTouched || root.kind !== 'compound' || root.lines.length > 0 || root.internal.length > 0;
}

function stateLines(state: GraphState, edges: MermaidEdges): string[] {
  const id = edges.ids.get(state) ?? '';
  const beside = edges.beside.get(state) ?? [];
  const title = `${state.isActive ? '▶ ' : ''}${state.title}`;
  if (state.children.length > 0) {
    // Only the title of a composite state is drawn.
    const kind = state.kind === 'parallel' && !isDivided(state) ? ' (parallel)' : '';
    const text = escapeMermaid([title + kind, ...state.lines].join(' · '));
    return [`state "${text}" as ${id} {`, ...indented(contentLines(state, edges)), '}', ...beside];
  }
  return [
    `state "${escapeMermaid(title)}" as ${id}`,
    ...[...state.lines, ...state.internal].map((line) => `${id} : ${escapeMermaid(line)}`),
    ...(state.kind === 'final' ? [`${id} --> [*]`] : []),
    ...beside,
  ];
}

function contentLines(state: GraphState, edges: MermaidEdges): string[] {
  const children = state.children.map((child) => stateLines(child, edges));
  if (isDivided(state)) return children.flatMap((lines, index) => (index > 0 ? ['--', ...lines] : lines));
  return [...initialLines(state, edges), ...children.flat()];
}

/** Mermaid 11 fails on a composite state inside a region that `--` separates; such regions are drawn as plain states side by side. */
function isDivided({ kind, children }: GraphState): boolean {
  return (
    kind === 'parallel' && children.every((region) => region.children.every((state) => state.children.length === 0))
  );
}

function initialLines({ initial }: GraphState, { ids }: MermaidEdges): string[] {
  if (!initial) return [];
  const label = initial.label === '' ? '' : ` : ${escapeMermaid(initial.label)}`;
  return [`[*] --> ${ids.get(initial.state)}${label}`];
}

function classLines(root: GraphState, { ids, standIns }: MermaidEdges): string[] {
  const active = statesOf(root).filter((state) => state.isActive);
  return [
    ...classOf(
      'active',
      ACTIVE_STYLE,
      active.map((state) => ids.get(state) ?? ''),
    ),
    ...classOf('standIn', STAND_IN_STYLE, standIns),
  ];
}

function classOf(name: string, style: string, ids: readonly string[]): string[] {
  return ids.length === 0 ? [] : [`classDef ${name} ${style}`, `class ${ids.join(',')} ${name}`];
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

/** Words that Mermaid, or a renderer that uses ids as object keys, does not treat as ids. */
const RESERVED = new Set(
  [
    'accdescr acctitle as choice class classdef click concurrent default direction end fork graph hide href join left',
    'note right root scale start state statediagram style styledef subgraph title',
    '__proto__ constructor hasownproperty isprototypeof propertyisenumerable tolocalestring tostring valueof',
  ].flatMap((words) => words.split(' ')),
);
/** Mermaid gives ids with these endings to the `[*]` of a composite state. */
const RESERVED_ENDING = /_(?:start|end)$/;

/** Returns a function that makes ids of ASCII letters, digits and `_`, unlike any keyword and any other id, ignoring case. */
function createMermaidIds(): (keys: readonly string[]) => string {
  const taken = new Set<string>();
  return (keys) => {
    const path = keys.map((key) => key.replace(/[^A-Za-z0-9]+/g, '_').replace(/^_+|_+$/g, '') || 'unnamed').join('_');
    const safe = /^\d/.test(path) ? `s${path}` : path;
    const lower = safe.toLowerCase();
    const base = RESERVED.has(lower) || RESERVED_ENDING.test(lower) ? `${safe}_state` : safe;
    let id = base;
    for (let number = 2; taken.has(id.toLowerCase()); number++) id = `${base}_${number}`;
    taken.add(id.toLowerCase());
    return id;
  };
}

/** The keys that lead to a state from below the root, or the root's own. */
function pathOf(state: GraphState): string[] {
  if (!state.parent) return [state.key];
  return state.parent.parent ? [...pathOf(state.parent), state.key] : [state.key];
}

/**
 * Every character with a meaning in Mermaid, Markdown, HTML or KaTeX: all but letters, digits and a few marks; and of these marks
 * those that join or begin something, as in `direction TB` (which Mermaid looks for anywhere in a line), `1. item`, `-->`,
 * `__bold__`, `[text](link)`, `[[fork]]` and `www.example.org`.
 */
const UNSAFE =
  /[^\p{L}\p{M}\p{N} .,()/[\]?!'⚙▶·_-]|(?<=direction) |(?<=^\d+)[.)]|(?<=www)\.|(?<![A-Za-z0-9])[-_]|[-_](?![A-Za-z0-9])|(?<=[[\]])[[(]/giu;

/** The text with entity codes (`#58;` for a colon), so that Mermaid only shows it. */
function escapeMermaid(text: string): string {
  return text.replace(UNSAFE, (char) => `#${char.codePointAt(0)};`);
}

export interface MermaidEdges {
  readonly ids: ReadonlyMap<GraphState, string>;
  /** Statements for the edges. They come after all states: inside a state, they would move their ends into it. */
  readonly lines: readonly string[];
  /** Declarations that an edge needs in the same block as a state. */
  readonly beside: ReadonlyMap<GraphState, readonly string[]>;
  /** The ids of stand-ins for a composite state inside it. */
  readonly standIns: readonly string[];
}

/**
 * Mermaid draws no edge between a composite state and a state inside it, and none to several states. A stand-in inside the state,
 * and a fork, replace such an end.
 */
function mermaidEdges({ root, edges }: Graph): MermaidEdges {
  const newId = createMermaidIds();
  const ids = new Map(statesOf(root).map((state) => [state, newId(pathOf(state))]));
  const idOf = (state: GraphState): string => ids.get(state) ?? '';
  const beside = new Map<GraphState, string[]>();
  const standIns = new Map<string, string>();

  const declare = (place: GraphState, line: string): void => {
    beside.set(place, [...(beside.get(place) ?? []), line]);
  };
  const standIn = (state: GraphState, place: GraphState, words: string, ending: string): string => {
    // In a parallel state each region is a block of its own.
    const block = place.parent?.kind === 'parallel' ? place : place.parent;
    const key = [words, idOf(state), block ? idOf(block) : ''].join(' ');
    const known = standIns.get(key);
    if (known !== undefined) return known;
    const id = newId([...pathOf(state), ending]);
    standIns.set(key, id);
    declare(place, `state "${escapeMermaid(`${words} ${state.title}`)}" as ${id}`);
    return id;
  };
  const statementsOf = ({ source, targets, label }: GraphEdge): string[] => {
    const inner = targets.find((target) => isWithin(target, source));
    const place = inner ? childTowards(source, inner) : source;
    const from = inner ? standIn(source, place, 'any state of', 'any') : idOf(source);
    const ends = targets.map((target) =>
      isWithin(source, target) ? standIn(target, place, 'back to', 'again') : idOf(target),
    );
    const text = escapeMermaid(label);
    if (ends.length === 1) return [`${from} --> ${ends.join('')} : ${text}`];
    const fork = newId([...pathOf(source), 'fork']);
    declare(place, `state ${fork} <<fork>>`);
    return [`${from} --> ${fork} : ${text}`, ...ends.map((end) => `${fork} --> ${end}`)];
  };
  const lines = [
    ...edges.flatMap((edge) => statementsOf(edge)),
    ...statesOf(root).flatMap((state) => internalLines(state, idOf(state))),
  ];
  return { ids, lines, beside, standIns: [...standIns.values()] };
}

/** A state with children shows only its title, so its internal transitions are drawn as edges to itself. */
function internalLines({ children, internal }: GraphState, id: string): string[] {
  return children.length === 0
    ? []
    : internal.map((label) => `${id} --> ${id} : ${escapeMermaid(`${label} (internal)`)}`);
}

/** The child of `ancestor` that is `state` or contains it. */
function childTowards(ancestor: GraphState, state: GraphState): GraphState {
  let at = state;
  while (at.parent && at.parent !== ancestor) at = at.parent;
  return at;
}
