import type { AnyStateMachine } from 'xstate';
import {
  type Box,
  type Drawing,
  type DrawnEdge,
  layOut,
  LINE_HEIGHT_PX,
  type PlannedState,
  type Point,
  TEXT_PX,
  textWidth,
  TITLE_HEIGHT_PX,
  TITLE_PX,
  titleWidth,
} from './layout.ts';
import type { GraphOptions } from './mermaid.ts';
import { readGraph } from './model.ts';

const START_PX = 3.5;

/** The style has its own background, because the page around a picture can be dark while the reader's system is light. */
const STYLE = [
  'text{font-family:system-ui,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1f2328;white-space:pre}',
  `.title{font-size:${TITLE_PX}px;font-weight:600}`,
  `.line,.label{font-size:${TEXT_PX}px}`,
  '.line{fill:#57606a}',
  '.page,.behind{fill:#fff}.head>text{stroke:#fff;stroke-width:4px;paint-order:stroke}',
  '.state{fill:#f6f8fa;stroke:#8c959f}.outer{fill:none}.region{stroke-dasharray:6 4}.rule{stroke:#d0d7de}',
  '.active>.state{stroke:#0969da;stroke-width:3}.active>.leaf{fill:#ddf4ff}',
  '.edge{fill:none;stroke:#57606a;stroke-width:1.25}.solid{fill:#57606a}.start{fill:#fff;stroke:#57606a}',
  '@media(prefers-color-scheme:dark){text{fill:#e6edf3}.line{fill:#9198a1}',
  '.page,.behind{fill:#0d1117}.head>text{stroke:#0d1117}',
  '.state{fill:#161b22;stroke:#6e7681}.outer{fill:none}.rule{stroke:#30363d}',
  '.active>.state{stroke:#4493f8}.active>.leaf{fill:#0c2d6b}',
  '.edge{stroke:#9198a1}.solid{fill:#9198a1}.start{fill:#0d1117;stroke:#9198a1}}',
].join('');

/**
 * Draws a machine as a self-contained SVG document, without scripts, fonts or links. Current states begin with `▶` and have a
 * thick border. Deterministic.
 */
export async function drawSvg(machine: AnyStateMachine, options: GraphOptions = {}): Promise<string> {
  const graph = readGraph(machine, options.value);
  return svgOf(await layOut(graph), graph.root.title);
}

function svgOf(drawing: Drawing, title: string): string {
  const width = Math.ceil(drawing.width);
  const height = Math.ceil(drawing.height);
  const labels = drawing.edges.flatMap(({ label }) => (label ? [label] : []));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="page" width="${width}" height="${height}" rx="${CORNER_PX}"/>`,
    ...drawing.states.map((state) => stateSvg(state)),
    ...drawing.edges.map((edge) => edgeSvg(edge)),
    ...drawing.dots.map((box) =>
      circle({ x: box.x + box.width / 2, y: box.y + box.height / 2 }, 'solid', box.width / 2),
    ),
    ...drawing.forks.map((box) => rect(box, 'solid', 2)),
    ...drawing.states.map((state) => stateTextSvg(state)),
    ...labels.map((label) => labelSvg(label)),
    '</svg>',
    '',
  ].join('\n');
}

function stateSvg(drawn: Box & PlannedState): string {
  const { state, lines, x, y, width } = drawn;
  const isOuter = state.children.length > 0;
  const shape = `state ${isOuter ? 'outer' : 'leaf'}${state.parent?.kind === 'parallel' ? ' region' : ''}`;
  return [
    state.isActive ? '<g class="active">' : '<g>',
    rect(drawn, shape, state.kind === 'history' ? TITLE_HEIGHT_PX / 2 : CORNER_PX),
    // A final state has a double border.
    state.kind === 'final' ? rect(inset(drawn, 4), 'state leaf', CORNER_PX - 2) : '',
    isOuter || lines.length > 0 ? `<path class="rule" d="M${px(x)} ${px(y + TITLE_HEIGHT_PX)}h${px(width)}"/>` : '',
    '</g>',
  ].join('');
}

/** The text of a state, drawn after the edges, which may cross the head of a state with children. */
function stateTextSvg({ state, title, lines, x, y, width }: Box & PlannedState): string {
  const center = x + width / 2;
  const top = y + TITLE_HEIGHT_PX + LINE_HEIGHT_PX;
  return [
    `<g class="${state.children.length > 0 ? 'head' : 'text'}">`,
    textLine(title, center, y + 21, 'title'),
    ...lines.map((line, index) => textLine(line, center, top + index * LINE_HEIGHT_PX, 'line')),
    '</g>',
  ].join('');
}

function labelSvg({ lines, ...box }: Box & { readonly lines: readonly string[] }): string {
  const center = box.x + box.width / 2;
  const texts = lines.map((line, index) => textLine(line, center, box.y + 12 + index * LINE_HEIGHT_PX, 'label'));
  return `<g>${rect(box, 'behind', 2)}${texts.join('')}</g>`;
}

function edgeSvg({ points, hasArrow, isInward }: DrawnEdge): string {
  const [end = points[1], before = points[0]] = points.toReversed();
  return [
    `<path class="edge" d="${roundedPath(points)}"/>`,
    isInward ? circle(points[0], 'start', START_PX) : '',
    hasArrow ? arrow(before, end) : '',
  ].join('');
}

const CORNER_PX = 6;
const ARROW_PX = 7;

/** Lines from point to point with rounded corners, as the `d` of a path. */
function roundedPath(points: readonly Point[]): string {
  return points
    .map((point, index) => {
      const before = points[index - 1];
      const after = points[index + 1];
      if (!before) return `M${px(point.x)} ${px(point.y)}`;
      if (!after) return `L${px(point.x)} ${px(point.y)}`;
      const start = towards(point, before, CORNER_PX);
      const end = towards(point, after, CORNER_PX);
      return `L${px(start.x)} ${px(start.y)}Q${px(point.x)} ${px(point.y)} ${px(end.x)} ${px(end.y)}`;
    })
    .join('');
}

function arrow(before: Point, end: Point): string {
  const base = towards(end, before, ARROW_PX);
  const side = { x: (base.y - end.y) / 2, y: (end.x - base.x) / 2 };
  const corners = [end, { x: base.x + side.x, y: base.y + side.y }, { x: base.x - side.x, y: base.y - side.y }];
  return `<path class="solid" d="M${corners.map(({ x, y }) => `${px(x)} ${px(y)}`).join('L')}Z"/>`;
}

/** The point `distance` from `from` on the way to `to`, or half-way if that is nearer. */
function towards(from: Point, to: Point, distance: number): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const part = length === 0 ? 0 : Math.min(distance / length, 0.5);
  return { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part };
}

/** One line of text, centred at `x` and scaled to the width that the layout computed. */
function textLine(text: string, x: number, y: number, className: 'title' | 'line' | 'label'): string {
  const width = className === 'title' ? titleWidth(text) : textWidth(text, TEXT_PX);
  const length = `text-anchor="middle" textLength="${px(width)}" lengthAdjust="spacingAndGlyphs"`;
  return `<text class="${className}" x="${px(x)}" y="${px(y)}" ${length}>${escapeXml(text)}</text>`;
}

function rect({ x, y, width, height }: Box, className: string, radius: number): string {
  return `<rect class="${className}" x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${px(height)}" rx="${px(radius)}"/>`;
}

function circle({ x, y }: Point, className: string, radius: number): string {
  return `<circle class="${className}" cx="${px(x)}" cy="${px(y)}" r="${px(radius)}"/>`;
}

function inset({ x, y, width, height }: Box, by: number): Box {
  return { x: x + by, y: y + by, width: width - 2 * by, height: height - 2 * by };
}

function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}
