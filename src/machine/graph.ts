import type { AnyStateMachine, StateValue } from 'xstate';
import { escapeMermaid } from './graph-mermaid.ts';
import { mermaidEdges, type MermaidEdges } from './graph-mermaid-edges.ts';
import { readGraph, statesOf, type Graph, type GraphState } from './graph-model.ts';

/** A stroke without a fill is legible on light and on dark, and on a state that holds others. */
const ACTIVE_STYLE = 'stroke:#2563eb,stroke-width:3px';
const STAND_IN_STYLE = 'stroke-dasharray:4 4';

export interface GraphOptions {
  /** The state value of a snapshot: these states are marked as current. */
  readonly value?: StateValue;
}

/**
 * The machine as a Mermaid `stateDiagram-v2`, ending in a newline. Current states begin with `▶` and have the class
 * `active`. The same machine always gives the same text, and no name in it can become anything but text.
 */
export function toMermaid(machine: AnyStateMachine, options: GraphOptions = {}): string {
  const graph = readGraph(machine, options.value);
  const edges = mermaidEdges(graph);
  const states = isRootShown(graph) ? stateLines(graph.root, edges) : contentLines(graph.root, edges);
  const lines = [...states, ...edges.lines, ...classLines(graph.root, edges)];
  return ['stateDiagram-v2', ...indented(lines), ''].join('\n');
}

/** A root that does nothing by itself is no more than the page that its states are on. */
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

/** Mermaid 11 fails on a composite state inside a region that `--` divides off; such regions only stand side by side. */
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
