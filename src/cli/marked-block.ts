import { Conflict } from '../errors.ts';

const VERSION = 1;
const MARKER = /^[ \t]*<!-- mailroom:(?:(?<begin>begin) v(?<version>\d{1,6})|end) -->[ \t]*\r?$/;

/** A line that begins a block of Mailroom, with the version that wrote it, or ends one. */
interface Marker {
  readonly line: number;
  /** Undefined for the end of a block. */
  readonly version: number | undefined;
  /** The offsets of the line, without its line break. */
  readonly from: number;
  readonly to: number;
}

/**
 * Returns the text with these lines between Mailroom's two markers: in place of what is between them now, else at the end.
 * Every other character stays, and line breaks are those of the file. Throws `Conflict`, naming the line, for markers that
 * are not exactly one pair, and for a block that a later version wrote. `path` names the file in errors.
 */
export function withBlock(text: string, { path, lines }: { path: string; lines: readonly string[] }): string {
  const markers = markersIn(text);
  const fault = faultOf(markers);
  if (fault !== undefined) {
    throw new Conflict(`${path} was left as it is: ${fault}.`, {
      hint: 'Keep one line that begins and one that ends the block of Mailroom, or neither, then repeat the command.',
    });
  }
  const [begin, end] = markers;
  // Line breaks come from the existing block, so that a repeated run changes nothing, whatever the file's first line ends with.
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

/** Why the markers are not one pair of a known version; undefined if they are, or there are none. */
function faultOf([first, second, third]: readonly Marker[]): string | undefined {
  if (!first) return undefined;
  if (first.version === undefined)
    return `line ${first.line} ends a block of Mailroom, but no line before it begins one`;
  if (!second) return `line ${first.line} begins a block of Mailroom, but no line after it ends it`;
  if (second.version !== undefined) {
    return `line ${second.line} begins a block of Mailroom within the one that line ${first.line} begins`;
  }
  if (third)
    return `line ${third.line} belongs to a second block of Mailroom; the first one begins in line ${first.line}`;
  if (first.version <= VERSION) return undefined;
  return `line ${first.line} begins a block of version ${first.version}, which a later Mailroom wrote; this one knows version ${VERSION}`;
}
