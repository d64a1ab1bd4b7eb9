import type { ElkExtendedEdge, ElkNode } from 'elkjs/lib/elk-api.js';
import { planDrawing, type Plan, type PlannedState } from './draw-plan.ts';
import type { Graph } from './graph-model.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

export interface DrawnEdge {
  readonly points: readonly [Point, Point, ...Point[]];
  readonly label: (Box & { readonly lines: readonly string[] }) | undefined;
  /** An edge to a fork is only the first part of a transition. */
  readonly hasArrow: boolean;
  /** It leads from the border of a state to what that state holds. */
  readonly isInward: boolean;
}

export type DrawnState = Box & PlannedState & { readonly id: string };

/** All in pixels from the upper left corner of the picture. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  /** Outer ones before those that they hold. */
  readonly states: readonly DrawnState[];
  /** Where a state begins. */
  readonly dots: readonly Box[];
  readonly forks: readonly Box[];
  readonly edges: readonly DrawnEdge[];
}

/** Finds a place for everything. The same graph is always drawn the same way. */
export async function layOut(graph: Graph): Promise<Drawing> {
  // Loaded here, because it is large and only a picture needs it.
  const { default: elk } = await import('#elk');
  const plan = planDrawing(graph);
  const placed = readPlaced(await new elk.default().layout(plan.page), plan);
  // ELK does not always heed the least width of a state that holds others.
  const wider = new Map(
    placed.states.flatMap(({ id, width, widthMin }) =>
      width < widthMin ? [[id, (widthMin - width) / 2] as const] : [],
    ),
  );
  if (wider.size === 0) return placed;
  const again = planDrawing(graph, wider);
  return readPlaced(await new elk.default().layout(again.page), again);
}

function readPlaced(page: ElkNode, plan: Plan): Drawing {
  const states: DrawnState[] = [];
  const dots: Box[] = [];
  const forks: Box[] = [];
  const visit = (node: ElkNode): void => {
    const state = plan.states.get(node.id);
    if (state) states.push({ id: node.id, ...state, ...boxOf(node) });
    if (plan.dots.has(node.id)) dots.push(boxOf(node));
    if (plan.forks.has(node.id)) forks.push(boxOf(node));
    node.children?.forEach((child) => visit(child));
  };
  visit(page);
  const edges = (page.edges ?? []).map((edge) => drawnEdge(edge, plan));
  return { width: page.width ?? 0, height: page.height ?? 0, states, dots, forks, edges };
}

function drawnEdge({ id, sections, labels, targets }: ElkExtendedEdge, plan: Plan): DrawnEdge {
  const [section] = sections ?? [];
  const [label] = labels ?? [];
  const planned = plan.edges.get(id);
  if (!section || !planned) throw new TypeError(`The layout has no way for edge ${id} to ${targets.join()}.`);
  const ways = [...(section.bendPoints ?? []), section.endPoint];
  const [first = section.endPoint, ...others] = ways;
  return {
    points: [section.startPoint, first, ...others],
    label: label && { ...boxOf(label), lines: planned.lines },
    hasArrow: !targets.some((target) => plan.forks.has(target)),
    isInward: planned.isInward,
  };
}

function boxOf({ x = 0, y = 0, width = 0, height = 0 }: Partial<Box>): Box {
  return { x, y, width, height };
}
