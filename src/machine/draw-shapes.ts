import type { Box, Point } from './draw-layout.ts';
import { TEXT_PX, textWidth, titleWidth } from './draw-text.ts';

export const CORNER_PX = 6;
const ARROW_PX = 7;

/** Lines from point to point, as the `d` of a path. */
export function roundedPath(points: readonly Point[]): string {
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

export function arrow(before: Point, end: Point): string {
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

/** One line of text around `x`, squeezed or stretched to the width that the layout reckoned with. */
export function textLine(text: string, x: number, y: number, className: 'title' | 'line' | 'label'): string {
  const width = className === 'title' ? titleWidth(text) : textWidth(text, TEXT_PX);
  const length = `text-anchor="middle" textLength="${px(width)}" lengthAdjust="spacingAndGlyphs"`;
  return `<text class="${className}" x="${px(x)}" y="${px(y)}" ${length}>${escapeXml(text)}</text>`;
}

export function rect({ x, y, width, height }: Box, className: string, radius: number): string {
  return `<rect class="${className}" x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${px(height)}" rx="${px(radius)}"/>`;
}

export function circle({ x, y }: Point, className: string, radius: number): string {
  return `<circle class="${className}" cx="${px(x)}" cy="${px(y)}" r="${px(radius)}"/>`;
}

export function inset({ x, y, width, height }: Box, by: number): Box {
  return { x: x + by, y: y + by, width: width - 2 * by, height: height - 2 * by };
}

export function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}
