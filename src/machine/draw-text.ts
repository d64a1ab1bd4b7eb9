/** Text as wide as it will be drawn: the picture says how long each line is to be, so no font can make it longer. */

export const TITLE_PX = 14;
export const TEXT_PX = 12;
export const LINE_HEIGHT_PX = 16;
/** The height of a state's title, with the space around it. */
export const TITLE_HEIGHT_PX = 32;
/** Semibold is a little wider. */
const TITLE_STRETCH = 1.06;

const BROAD = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\u{1f000}-\u{3ffff}]/u;
/** Parts of an em, after the widths of Helvetica and Arial. */
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
