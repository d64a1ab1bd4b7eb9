import { createMermaidIds, escapeMermaid, pathOf } from './graph-mermaid.ts';
import { isWithin, statesOf, type Graph, type GraphEdge, type GraphState } from './graph-model.ts';

export interface MermaidEdges {
  readonly ids: ReadonlyMap<GraphState, string>;
  /** One statement an edge. They stand behind all states: inside one, they would move their ends into it. */
  readonly lines: readonly string[];
  /** What is to be declared in the same block as a state, because an edge needs it there. */
  readonly beside: ReadonlyMap<GraphState, readonly string[]>;
  /** The ids of what stands for a composite state inside it. */
  readonly standIns: readonly string[];
}

/**
 * Mermaid draws no edge between a composite state and what is inside it, and none to several states. A stand-in inside,
 * and a fork, take the place of such an end.
 */
export function mermaidEdges({ root, edges }: Graph): MermaidEdges {
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

/** A state that holds others shows nothing but its title, so what happens inside it is drawn as an edge to itself. */
function internalLines({ children, internal }: GraphState, id: string): string[] {
  return children.length === 0
    ? []
    : internal.map((label) => `${id} --> ${id} : ${escapeMermaid(`${label} (internal)`)}`);
}

/** The child of `ancestor` that is `state` or holds it. */
function childTowards(ancestor: GraphState, state: GraphState): GraphState {
  let at = state;
  while (at.parent && at.parent !== ancestor) at = at.parent;
  return at;
}
