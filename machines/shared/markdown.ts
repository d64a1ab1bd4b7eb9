import { cut, plainOutput, visible, visibleLines } from 'agent-mailroom/workflow';

const TEXT_CHARS_MAX = 300;
const LINE_CHARS_MAX = 120;
const QUOTED_LINE_CHARS_MAX = 4_000;

/**
 * Foreign text as one line of Markdown in which nothing acts. A word that Markdown or GitHub would interpret (a mention, an
 * issue reference, a link, HTML, emphasis, mathematics) becomes code, which both leave alone. Other words stay unchanged.
 */
export function markdownText(text: string, { charsMax = TEXT_CHARS_MAX }: { charsMax?: number } = {}): string {
  const line = visible(cut(plainOutput(text).trim().replaceAll(/\s+/g, ' '), { charsMax }));
  let shown = '';
  let code = '';
  for (const { text: piece, isCode } of Array.from(line.matchAll(WORDS), ([word], at) => piecesOf(word, at)).flat()) {
    // Adjacent code is one span, because the backticks of two spans would merge.
    if (isCode) code += piece;
    else {
      shown += codeSpan(code) + piece;
      code = '';
    }
  }
  return shown + codeSpan(code);
}

/** Text as a code span, even if it contains backticks. */
export function codeSpan(text: string): string {
  if (text === '') return '';
  const line = visible(text.replaceAll(/\s+/g, ' '));
  const marks = '`'.repeat(longestRun(line, '`') + 1);
  const pad = /^[` ]|[` ]$/.test(line) ? ' ' : '';
  return `${marks}${pad}${line}${pad}${marks}`;
}

/** The last lines of a program's output as a code block that its content cannot close. */
export function codeBlock(text: string, { linesMax }: { linesMax: number }): string {
  const lines = visibleLines(plainOutput(text)).replace(/\n+$/, '').split('\n');
  const left = Math.max(0, lines.length - linesMax);
  const shown = lines.slice(left).map((line) => cut(line, { charsMax: LINE_CHARS_MAX }));
  const block = [...(left === 0 ? [] : [`… (${left} earlier lines)`]), ...shown].join('\n');
  const fence = '`'.repeat(Math.max(3, longestRun(block, '`') + 1));
  return `${fence}text\n${block}\n${fence}`;
}

/**
 * The user's own Markdown as a quotation, one array entry per line. An unclosed construct, such as a code block, ends with
 * the quotation. HTML would not, so a space after each `<` keeps it from opening a tag.
 */
export function quotedMarkdown(markdown: string): string[] {
  let fence = '';
  return visibleLines(plainOutput(markdown))
    .trim()
    .split('\n')
    .map((line) => {
      // A code block in a list may end before its fence, so only a fence at the margin counts.
      const [, mark = ''] = fence === '' ? (OPENS_CODE.exec(line) ?? []) : (CLOSES_CODE.exec(line) ?? []);
      const isCode = fence !== '';
      if (fence === '') fence = mark;
      else if (mark.startsWith(fence)) fence = '';
      const shown = isCode ? line : line.replaceAll(/<(?=[a-z/!?])/gi, '< ');
      return `> ${cut(shown, { charsMax: QUOTED_LINE_CHARS_MAX })}`.trimEnd();
    });
}

const OPENS_CODE = /^(`{3,}(?=[^`]*$)|~{3,})/;
const CLOSES_CODE = /^ {0,3}(`{3,}|~{3,})[ \t]*$/;

/** A part of a document. */
export interface Section {
  readonly heading?: string;
  /** Whether a reader has to open it; the heading is what is seen before, and must be ours. */
  readonly isFolded?: boolean;
  /** Lines and code blocks; each is shown as a whole or left out. */
  readonly blocks: readonly string[];
}

/**
 * The sections as a document of at most `charsMax` characters. Each section gets an equal share, and unused share goes to the
 * others. A section that is too long ends between two blocks and says how many lines are left out.
 */
export function markdownDocument(sections: readonly Section[], { charsMax }: { charsMax: number }): string {
  const texts = sections.map((section) => sectionText(section, section.blocks.length));
  const shortestFirst = [...texts.keys()].sort((a, b) => lengthAt(texts, a) - lengthAt(texts, b));
  let left = charsMax - sections.length;
  for (const [done, at] of shortestFirst.entries()) {
    const section = sections[at];
    const share = Math.floor(left / (shortestFirst.length - done));
    if (section && lengthAt(texts, at) > share) texts[at] = sectionText(section, blocksWithin(section, share));
    left -= lengthAt(texts, at);
  }
  return texts.join('\n');
}

function lengthAt(texts: readonly string[], at: number): number {
  return texts[at]?.length ?? 0;
}

/** How many blocks of a section fit, together with its heading and the line about the rest. */
function blocksWithin({ heading = '', blocks }: Section, charsMax: number): number {
  let left = charsMax - heading.length - SECTION_CHARS;
  const first = blocks.findIndex((block) => (left -= block.length + 1) < 0);
  return first === -1 ? blocks.length : first;
}

/** Upper bound for the characters of a section besides its heading and blocks. */
const SECTION_CHARS = 110;

function sectionText({ heading, isFolded = false, blocks }: Section, shown: number): string {
  const others = blocks.slice(shown).join('\n').split('\n').filter(Boolean).length;
  const begin = isFolded ? ['<details>', `<summary>${heading ?? ''}</summary>`] : [`## ${heading ?? ''}`];
  return [
    ...(heading === undefined ? [] : [...begin, '']),
    ...blocks.slice(0, shown),
    ...(others === 0 ? [] : ['', `… and ${others} more ${others === 1 ? 'line' : 'lines'}.`]),
    ...(isFolded ? ['', '</details>'] : []),
    '',
  ].join('\n');
}

/** A code span marked by the author, a word, or white space. */
const WORDS = /`[^`]+`|[^\s`]+|`+|\s/g;

/** What acts inside a line: marks of Markdown, HTML and mathematics, and everything that GitHub links. */
const ACTS = /[\\`*_[\]<>~|$@#]|&[\w#]|:\/\/|:[\w+-]+:|^\W*www\.|\b(?:GH|GHSA|CVE)-|\b[0-9a-f]{7,}\b/i;
/** What starts a list, a rule, or the underline of a heading or table header. */
const BEGINS_BLOCK = /^(?:[-+=]+|:?-+:?|\d{1,9}[.)])$/;

interface Piece {
  readonly text: string;
  readonly isCode: boolean;
}

/** A word in pieces: the part that has to be code, and the punctuation around it. */
function piecesOf(word: string, at: number): Piece[] {
  const plain = (text: string): Piece[] => (text === '' ? [] : [{ text, isCode: false }]);
  const code = (text: string): Piece => ({ text, isCode: true });
  const [, marked] = /^`([^`]+)`$/.exec(word) ?? [];
  if (marked !== undefined) return [code(marked)];
  if (at === 0 && BEGINS_BLOCK.test(word)) return [code(word)];
  if (!ACTS.test(word)) return plain(word);
  if (word.startsWith('(') && word !== '(') return [...plain('('), ...piecesOf(word.slice(1), at)];
  const [after = ''] = (word.includes('(') ? /[.,;:!?]*$/ : /[.,;:!?)]*$/).exec(word) ?? [];
  const core = word.slice(0, word.length - after.length);
  return [code(core), ...plain(after)];
}

function longestRun(text: string, char: string): number {
  let [longest, run] = [0, 0];
  for (const one of text) {
    run = one === char ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}
