const CHARS_MAX = 8_000;

/** The beginning of a text, so that nobody's words fill the journal. */
export function excerpt(text: string): string {
  return text.length > CHARS_MAX ? `${text.slice(0, CHARS_MAX)}…` : text;
}
