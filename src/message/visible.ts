/**
 * Characters that act on a terminal or hide text instead of being read: C0, DEL and C1 controls (ECMA-48), the line and
 * paragraph separators, and the bidirectional controls of Unicode UAX #9.
 */
// oxlint-disable no-control-regex -- these are the characters that it is about
const UNSAFE =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** The text on one line, with every unsafe character as an escape such as `\x1b` or `\u2028`. */
export function visible(text: string): string {
  return text.replace(UNSAFE, escapeOf);
}

/** The same, but line feeds and tabs stay what they are. */
export function visibleLines(text: string): string {
  return text.replace(UNSAFE, (char) => (char === '\n' || char === '\t' ? char : escapeOf(char)));
}

/** The value as JSON on one line, with what `visible` would escape and JSON does not as JSON's own `\u` escapes. */
export function visibleJson(value: unknown): string {
  const json = JSON.stringify(value);
  if (!NOT_PLAIN.test(json)) return json;
  return json.replace(UNSAFE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Printable ASCII and the ellipsis of a text that was cut are most of what is written, and told at half the cost. */
const NOT_PLAIN = /[^ -~…]/;

function escapeOf(char: string): string {
  if (char === '\n') return '\\n';
  if (char === '\t') return '\\t';
  if (char === '\r') return '\\r';
  const code = char.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}
