/**
 * Text that others wrote, made safe for a terminal. Characters that would act on the terminal, or would be invisible,
 * become escapes: C0, DEL and C1 controls (ECMA-48), line and paragraph separators, bidirectional controls (UAX #9),
 * halves of surrogate pairs, and the default-ignorable characters of UAX #44, such as the zero-width space and the tags
 * in which an instruction can be hidden.
 */
const UNSAFE = '\\p{Cc}\\p{Cs}\\p{Zl}\\p{Zp}\\p{Bidi_Control}\\p{Default_Ignorable_Code_Point}\\u{fff9}-\\u{fffb}';

/** Scripts whose letters look different with a joiner or a non-joiner between them. */
const JOINED_SCRIPTS =
  'Arabic Syriac Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala Myanmar Tibetan';
/** The subdivision flags in use: a black flag, the letters as tags, and the tag that ends them (UTS #51). */
const TAG_FLAGS = ['gbeng', 'gbsct', 'gbwls'];

/**
 * Ignorable characters that are legitimate in their place, each pattern ending in one: emoji, joined letters, variants
 * of a letter.
 */
function inPlace(): string {
  const joined = JOINED_SCRIPTS.split(' ')
    .map((script) => `\\p{Script=${script}}`)
    .join('');
  const tags = TAG_FLAGS.map((flag) => String.fromCodePoint(...Array.from(flag, tagOf), 0xe007f)).join('|');
  return [
    '\\p{Extended_Pictographic}[\\ufe0e\\ufe0f]',
    '[0-9#*]\\ufe0f(?=\\u20e3)',
    '[\\p{Extended_Pictographic}\\p{Emoji_Modifier}]\\ufe0f?\\u200d(?=\\p{Extended_Pictographic})',
    `\\u{1f3f4}(?=${tags})[\\u{e0061}-\\u{e007f}]{1,6}`,
    `[${joined}][\\u200c\\u200d](?=[${joined}])`,
    '\\p{Script=Han}[\\ufe00-\\ufe0f\\u{e0100}-\\u{e01ef}]',
    '(?=\\p{L})\\p{Script=Mongolian}[\\u180b-\\u180d\\u180f]',
  ].join('|');
}

function tagOf(letter: string): number {
  return 0xe0000 + letter.charCodeAt(0);
}

let unsafe: RegExp | undefined;

function escaped(text: string, escape: (char: string) => string): string {
  // Most text is printable ASCII plus Mailroom's own ellipsis and arrow. A command that prints nothing else is spared
  // the rest, which takes 2 ms.
  if (isPlain(text)) return text;
  unsafe ??= new RegExp(`[${UNSAFE}](?<!${inPlace()})`, 'gu');
  return text.replace(unsafe, escape);
}

/**
 * Whether a text is printable ASCII, `…` and `→`, or with `lines` also line feeds and tabs. By hand, because an expression would have to be
 * compiled first.
 */
export function isPlain(text: string, { lines = false } = {}): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= BLANK && code <= TILDE) continue;
    const isLine = lines && (code === LINE_FEED || code === TAB);
    if (!isLine && code !== ELLIPSIS && code !== ARROW) return false;
  }
  return true;
}

const BLANK = 0x20;
const TILDE = 0x7e;
const LINE_FEED = 0x0a;
const TAB = 0x09;
const ELLIPSIS = 0x2026;
const ARROW = 0x2192;

/**
 * Makes a text that others wrote safe to print on one line: control, invisible and bidirectional characters become
 * escapes such as `\x1b` or `\u2028`.
 */
export function visible(text: string): string {
  return escaped(text, escapeOf);
}

/** Makes a text that others wrote safe to print, as `visible` does, but keeps line feeds and tabs. */
export function visibleLines(text: string): string {
  if (isPlain(text, { lines: true })) return text;
  return escaped(text, (char) => (char === '\n' || char === '\t' ? char : escapeOf(char)));
}

/** Removes terminal colours from what a program printed, and turns CR LF into LF. */
export function plainOutput(text: string): string {
  return text.replaceAll(COLOUR, '').replaceAll('\r\n', '\n');
}

/**
 * SGR and EL of ECMA-48, which only change how text looks. What is hidden by another sequence is left to be escaped.
 */
// oxlint-disable-next-line no-control-regex -- these sequences begin with ESC
const COLOUR = /\u001b\[[0-9;:]*[mK]/g;

/** The value as JSON on one line. Characters that `visible` escapes and JSON does not become `\u` escapes of JSON. */
export function visibleJson(value: unknown): string {
  return visibleJsonText(JSON.stringify(value));
}

/** The same for a value that is already JSON on one line. */
export function visibleJsonText(json: string): string {
  return escaped(json, (char) =>
    Array.from({ length: char.length }, (_, at) => `\\u${hex(char.charCodeAt(at), 4)}`).join(''),
  );
}

function escapeOf(char: string): string {
  if (char === '\n') return '\\n';
  if (char === '\t') return '\\t';
  if (char === '\r') return '\\r';
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x100) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\u{${hex(code, 5)}}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}
