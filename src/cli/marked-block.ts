import { Conflict } from '../errors.ts';

const VERSION = 1;
const MARKER = /^[ \t]*<!-- mailroom:(?:(?<begin>begin) v(?<version>\d{1,6})|end) -->[ \t]*\r?$/;

/** A line of a file that begins a block of ours, with the version that wrote it, or ends one. */
interface Marker {
  readonly line: number;
  /** Undefined at the end of a block. */
  readonly version: number | undefined;
  /** The offsets of the line, without what breaks it. */
  readonly from: number;
  readonly to: number;
}

/**
 * The text of a file with these lines between our two markers: in place of what is between them now, else at its end. Every
 * other character stays, and lines are broken as the file breaks them. Throws `Conflict`, naming the line, for markers that
 * are not one pair, and for a block that a later version wrote. `path` is how the file is named in an error.
 */
export function withBlock(text: string, { path, lines }: { path: string; lines: readonly string[] }): string {
  const markers = markersIn(text);
  const fault = faultOf(markers);
  if (fault !== undefined) {
    throw new Conflict(`${path} was left as it is: ${fault}.`, {
      hint: 'Leave one line that begins and one that ends the block of Mailroom, or none of them, then repeat the command.',
    });
  }
  const [begin, end] = markers;
  // The block keeps its own line breaks, so that it is the same the next time, whatever the first line of the file ends with.
  const newline = /\r?\n/.exec(text.slice(begin?.to ?? 0))?.[0] ?? '\n';
  const block = [`<!-- mailroom:begin v${VERSION} -->`, ...lines, '<!-- mailroom:end -->'].join(newline);
  if (begin && end) return text.slice(0, begin.from) + block + text.slice(end.to);
  if (text === '') return block + newline;
  return `${text}${text.endsWith('\n') ? '' : newline}${newline}${block}${newline}`;
}

function markersIn(text: string): Marker[] {
  let from = 0;
  return text.split('\n').flatMap((content, index) => {
    const start = from;
    from += content.length + 1;
    const groups = MARKER.exec(content)?.groups;
    if (!groups) return [];
    const version = groups['begin'] === undefined ? undefined : Number(groups['version']);
    return [{ line: index + 1, version, from: start, to: start + content.replace(/\r$/, '').length }];
  });
}

/** Why the markers are not one pair of a version that this program knows. */
function faultOf([first, second, third]: readonly Marker[]): string | undefined {
  if (!first) return undefined;
  if (first.version === undefined)
    return `line ${first.line} ends a block of Mailroom, and no line before it begins one`;
  if (!second) return `line ${first.line} begins a block of Mailroom, and no line after it ends it`;
  if (second.version !== undefined) {
    return `line ${second.line} begins a block of Mailroom within the one that line ${first.line} begins`;
  }
  if (third) return `line ${third.line} is of a second block of Mailroom; the first one begins in line ${first.line}`;
  if (first.version <= VERSION) return undefined;
  return `line ${first.line} begins a block of version ${first.version}, which a later Mailroom wrote; this one knows ${VERSION}`;
}
