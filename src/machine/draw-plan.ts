import type { ElkExtendedEdge, ElkNode } from 'elkjs/lib/elk-api.js';
import { LINE_HEIGHT_PX, TEXT_PX, textWidth, TITLE_HEIGHT_PX, titleWidth, wrapText } from './draw-text.ts';
import { isWithin, statesOf, type Graph, type GraphEdge, type GraphState } from './graph-model.ts';

/** What the layout is given, and what its ids stand for. */
export interface Plan {
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
  /** What its text takes, px. */
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

/** No state inherits these from the one that holds it, so each has them. */
const INNER_OPTIONS = {
  // From the initial state on, so that what comes first is at the top. (ELK's own "model order" fails on nested states.)
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
 * Says how large everything is and what is connected. `wider` has how many pixels more a state needs on each side, by its id,
 * where the layout gave it less than its text takes.
 */
export function planDrawing({ root, edges: graphEdges }: Graph, wider: ReadonlyMap<string, number> = new Map()): Plan {
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
    // A label on its edge cannot be taken for that of the next one. A loop has no place for it.
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
