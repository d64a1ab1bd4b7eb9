import type { ElkExtendedEdge, ElkNode } from 'elkjs/lib/elk-api.js';
import { type Graph, type GraphEdge, type GraphState, isWithin, statesOf } from './model.ts';

/** The input of the layout, and what its ids stand for. */
export interface LayoutPlan {
  readonly page: ElkNode;
  readonly states: ReadonlyMap<string, PlannedState>;
  readonly edges: ReadonlyMap<string, PlannedEdge>;
  readonly dots: ReadonlySet<string>;
  readonly forks: ReadonlySet<string>;
}

export interface PlannedState {
  readonly state: GraphState;
  readonly title: string;
  readonly lines: readonly string[];
  /** The width of its text, in px. */
  readonly widthMin: number;
}

interface PlannedEdge {
  readonly lines: readonly string[];
  readonly isInward: boolean;
}

const LABEL_CHARS_MAX = 36;
const LINE_CHARS_MAX = 44;
const MARGIN_PX = 12;
const LABEL_MARGIN_PX = 4;
const STATE_WIDTH_MIN_PX = 48;
const DOT_SIZE = { width: 12, height: 12 };
const FORK_SIZE = { width: 48, height: 5 };

const PAGE_OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.json.shapeCoords': 'ROOT',
  'elk.json.edgeCoords': 'ROOT',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.padding': '[top=12,left=12,bottom=12,right=12]',
};

/** A state does not inherit these from its parent, so each has them. */
const INNER_OPTIONS = {
  // Start from the initial state, so that the first states are at the top. (ELK's own "model order" fails on nested states.)
  'elk.layered.cycleBreaking.strategy': 'DEPTH_FIRST',
  'elk.spacing.nodeNode': '28',
  'elk.spacing.edgeNode': '18',
  'elk.spacing.edgeEdge': '14',
  'elk.spacing.edgeLabel': '4',
  'elk.spacing.nodeSelfLoop': '14',
  'elk.layered.spacing.nodeNodeBetweenLayers': '28',
  'elk.layered.spacing.edgeNodeBetweenLayers': '16',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '12',
};

/**
 * Determines the size of everything and what is connected. `wider`: by state id, how many pixels more a state needs on each side,
 * because an earlier layout made it narrower than its text.
 */
function planDrawing({ root, edges: graphEdges }: Graph, wider: ReadonlyMap<string, number> = new Map()): LayoutPlan {
  const ids = new Map(statesOf(root).map((state, index) => [state, `state-${index}`]));
  const idOf = (state: GraphState): string => ids.get(state) ?? '';
  const states = new Map<string, PlannedState>();
  const edges = new Map<string, PlannedEdge>();
  const dots = new Set<string>();
  const forks = new Set<string>();
  const childrenOf = new Map<GraphState, ElkNode[]>();
  const elkEdges: ElkExtendedEdge[] = [];

  const connect = (source: string, target: string, label: string, isInward = false): void => {
    const id = `edge-${edges.size}`;
    const lines = label === '' ? [] : wrapText(label, LABEL_CHARS_MAX);
    edges.set(id, { lines, isInward });
    // A label that is inline on its edge cannot be mistaken for that of another edge. A self-loop has no room for that.
    const layoutOptions = { 'elk.edgeLabels.inline': String(source !== target) };
    const labels = lines.length === 0 ? [] : [{ text: label, ...sizeOf(lines, LABEL_MARGIN_PX), layoutOptions }];
    elkEdges.push({ id, sources: [source], targets: [target], labels });
  };
  const nodeOf = (state: GraphState): ElkNode => {
    const id = idOf(state);
    const text = { state, title: `${state.isActive ? '▶ ' : ''}${state.title}`, lines: linesOf(state) };
    const size = stateSize(text);
    states.set(id, { ...text, widthMin: size.width });
    if (state.children.length === 0) return { id, ...size };
    const children: ElkNode[] = [];
    if (state.initial) {
      const dot = `dot-${dots.size}`;
      dots.add(dot);
      children.push({ id: dot, ...DOT_SIZE });
      connect(dot, idOf(state.initial.state), state.initial.label);
    }
    children.push(...state.children.map((child) => nodeOf(child)));
    childrenOf.set(state, children);
    return { id, children, layoutOptions: { ...INNER_OPTIONS, ...outerOptions(size, wider.get(id) ?? 0) } };
  };
  const addEdge = ({ source, targets, label }: GraphEdge): void => {
    const from = idOf(source);
    const isInward = targets.some((target) => isWithin(target, source));
    if (targets.length === 1) return connect(from, idOf(targets[0]), label, isInward);
    const fork = `fork-${forks.size}`;
    forks.add(fork);
    const siblings = childrenOf.get(isInward ? source : (source.parent ?? source)) ?? [];
    siblings.splice(siblings.findIndex(({ id }) => id === from) + 1, 0, { id: fork, ...FORK_SIZE });
    connect(from, fork, label, isInward);
    for (const target of targets) connect(fork, idOf(target), '');
  };
  const children = [nodeOf(root)];
  for (const edge of graphEdges) addEdge(edge);
  const layoutOptions = { ...INNER_OPTIONS, ...PAGE_OPTIONS };
  return { page: { id: 'page', layoutOptions, children, edges: elkEdges }, states, edges, dots, forks };
}

function linesOf({ lines, internal }: GraphState): string[] {
  return [...lines, ...internal].flatMap((line) => wrapText(line, LINE_CHARS_MAX));
}

interface Size {
  readonly width: number;
  readonly height: number;
}

function stateSize({ title, lines }: Omit<PlannedState, 'widthMin'>): Size {
  const text = sizeOf(lines, MARGIN_PX);
  return {
    width: Math.max(STATE_WIDTH_MIN_PX, text.width, titleWidth(title) + 2 * MARGIN_PX),
    height: TITLE_HEIGHT_PX + (lines.length === 0 ? 0 : text.height + 10),
  };
}

function sizeOf(lines: readonly string[], marginPx: number): Size {
  const width = Math.max(0, ...lines.map((line) => textWidth(line, TEXT_PX)));
  return { width: width + 2 * marginPx, height: lines.length * LINE_HEIGHT_PX };
}

/** The head of a state that holds others is its padding. */
function outerOptions({ width, height }: Size, wider: number): Record<string, string> {
  const side = 16 + wider;
  return {
    'elk.padding': `[top=${height + MARGIN_PX},left=${side},bottom=16,right=${side}]`,
    'elk.nodeSize.constraints': 'MINIMUM_SIZE',
    'elk.nodeSize.minimum': `(${width},${height})`,
  };
}

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
  /** It leads from the border of a state to a state inside it. */
  readonly isInward: boolean;
}

export type DrawnState = Box & PlannedState & { readonly id: string };

/** All coordinates in px from the upper left corner of the picture. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  /** Each state before the states inside it. */
  readonly states: readonly DrawnState[];
  /** Markers of initial states. */
  readonly dots: readonly Box[];
  readonly forks: readonly Box[];
  readonly edges: readonly DrawnEdge[];
}

/** Computes the position of everything. Deterministic. */
export async function layOut(graph: Graph): Promise<Drawing> {
  // Loaded here, because ELK is large and only pictures need it.
  const { default: elk } = await import('#elk');
  const plan = planDrawing(graph);
  const placed = readPlaced(await new elk.default().layout(plan.page), plan);
  // ELK does not always respect the minimum width of a state with children.
  const wider = new Map(
    placed.states.flatMap(({ id, width, widthMin }) =>
      width < widthMin ? [[id, (widthMin - width) / 2] as const] : [],
    ),
  );
  if (wider.size === 0) return placed;
  const again = planDrawing(graph, wider);
  return readPlaced(await new elk.default().layout(again.page), again);
}

function readPlaced(page: ElkNode, plan: LayoutPlan): Drawing {
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

function drawnEdge({ id, sections, labels, targets }: ElkExtendedEdge, plan: LayoutPlan): DrawnEdge {
  const [section] = sections ?? [];
  const [label] = labels ?? [];
  const planned = plan.edges.get(id);
  if (!section || !planned) throw new TypeError(`The layout has no path for edge ${id} to ${targets.join()}.`);
  const bends = [...(section.bendPoints ?? []), section.endPoint];
  const [first = section.endPoint, ...others] = bends;
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

// The picture sets the length of each line of text, so no font can make it longer than computed here.

export const TITLE_PX = 14;
export const TEXT_PX = 12;
export const LINE_HEIGHT_PX = 16;
/** The height of a state's title, including the space around it. */
export const TITLE_HEIGHT_PX = 32;
/** Semibold is a little wider. */
const TITLE_STRETCH = 1.06;

const BROAD = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\u{1f000}-\u{3ffff}]/u;
/** Widths in em, after Helvetica and Arial. */
const WIDTHS: readonly (readonly [RegExp, number])[] = [
  [/\p{M}/u, 0],
  [BROAD, 1],
  [/[ijl.,:;'|!]/, 0.25],
  [/[ft\s/()[\]{}"\\I-]/, 0.33],
  [/[mMW@▶⚙%]/, 0.89],
  [/[w\p{Lu}&]/u, 0.7],
];
const WIDTH_OTHERWISE = 0.56;

export function textWidth(text: string, fontPx: number): number {
  let ems = 0;
  for (const char of text) ems += WIDTHS.find(([pattern]) => pattern.test(char))?.[1] ?? WIDTH_OTHERWISE;
  return Math.ceil(ems * fontPx * 10) / 10;
}

export function titleWidth(title: string): number {
  return textWidth(title, TITLE_PX) * TITLE_STRETCH;
}

/** Divides a text at its spaces, into lines of at most `charsMax`. A longer word stays whole. */
export function wrapText(text: string, charsMax: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= charsMax) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
