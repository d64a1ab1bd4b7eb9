/** A longer cluster, such as a letter under a hundred accents, is cut anyway, between two code points. */
const CLUSTER_CHARS_MAX = 64;
const PLAIN_BELOW = 0x300;
const ECHO_CHARS_MAX = 60;

/**
 * Shortens a text to at most `charsMax` UTF-16 units, including the mark that shows the cut. It cuts between grapheme
 * clusters (UAX #29), so no emoji, flag or accented letter is split.
 *
 * @param text The text to shorten.
 * @param options `keep` says which end of the text is kept; default: `start`. `mark` stands for what is cut off; default: `…`.
 */
export function cut(
  text: string,
  { charsMax, keep = 'start', mark = '…' }: { charsMax: number; keep?: 'start' | 'end'; mark?: string },
): string {
  if (text.length <= charsMax) return text;
  const room = Math.max(0, charsMax - mark.length);
  return keep === 'start'
    ? text.slice(0, boundaryFrom(text, { at: room, step: -1 })) + mark
    : mark + text.slice(boundaryFrom(text, { at: text.length - room, step: 1 }));
}

/** The start of the text in at most `bytesMax` bytes of UTF-8, cut the same way and without a mark. */
export function cutToBytes(text: string, bytesMax: number): string {
  if (text.length <= bytesMax && Buffer.byteLength(text) <= bytesMax) return text;
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(Math.max(0, bytesMax)));
  return cut(text, { charsMax: read, mark: '' });
}

/** The start of a user's input, quoted and on one line, for an error that says what is wrong with it. */
export function echo(text: string, charsMax = ECHO_CHARS_MAX): string {
  return JSON.stringify(cut(text, { charsMax }));
}

/** The next boundary in that direction, or one within the cluster if the boundary is far away. */
function boundaryFrom(text: string, { at, step }: { at: number; step: 1 | -1 }): number {
  for (let tried = 0; tried < CLUSTER_CHARS_MAX; tried++) {
    const index = at + tried * step;
    if (isBoundary(text, index)) return index;
  }
  return isInPair(text, at) ? at + step : at;
}

/**
 * Follows the rules of UAX #29; in doubt there is no boundary. `Intl.Segmenter` knows all the rules, but takes longer
 * to create than a whole mail command.
 */
function isBoundary(text: string, at: number): boolean {
  if (at <= 0 || at >= text.length) return true;
  const [before, after] = [text.charCodeAt(at - 1), text.charCodeAt(at)];
  if (before < PLAIN_BELOW && after < PLAIN_BELOW) return !(before === 0x0d && after === 0x0a);
  if (isInPair(text, at)) return false;
  const last = String.fromCodePoint(text.codePointAt(isInPair(text, at - 1) ? at - 2 : at - 1) ?? 0);
  const next = String.fromCodePoint(text.codePointAt(at) ?? 0);
  const is = patterns();
  if (is.extends.test(next) || is.joins.test(last)) return false;
  // Flags are pairs of regional indicators, counted from the first one.
  return !(is.regional.test(next) && is.regional.test(last) && regionalsBefore(text, at) % 2 === 1);
}

interface Patterns {
  /** Marks, joiners, skin tones, tags, and the parts of a Korean syllable after the first. */
  readonly extends: RegExp;
  /**
   * Characters that join the next one: a joiner, an Indic virama, the first part of a Korean syllable, number signs.
   */
  readonly joins: RegExp;
  readonly regional: RegExp;
}

let made: Patterns | undefined;

/** Created on first use: that takes half a ms, and most texts need none. */
function patterns(): Patterns {
  return (made ??= {
    extends:
      /[\p{M}\p{Grapheme_Extend}\p{Emoji_Modifier}\u200d\u0e33\u0eb3\u1160-\u11ff\ud7b0-\ud7fb\u{e0020}-\u{e007f}]/u,
    joins:
      /[\u200d\u094d\u09cd\u0acd\u0b4d\u0c4d\u0d4d\u1039\u17d2\u1a60\u1100-\u115f\ua960-\ua97c\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e\u{110bd}\u{110cd}\u{111c2}\u{111c3}\u{1193f}\u{11941}\u{11a3a}\u{11a84}-\u{11a89}\u{11d46}\u{11f02}]/u,
    regional: /\p{Regional_Indicator}/u,
  });
}

function regionalsBefore(text: string, at: number): number {
  let count = 0;
  for (let index = at - 2; index >= 0 && patterns().regional.test(text.slice(index, index + 2)); index -= 2) count += 1;
  return count;
}

/** Whether the index is between the halves of a surrogate pair. */
function isInPair(text: string, at: number): boolean {
  const [before, after] = [text.charCodeAt(at - 1), text.charCodeAt(at)];
  return before >= 0xd800 && before <= 0xdbff && after >= 0xdc00 && after <= 0xdfff;
}
