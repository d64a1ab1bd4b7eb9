const ECHO_CHARS_MAX = 80;

/** What somebody has said, short and on one line, for the answer that says what is wrong with it. */
export function echo(text: string): string {
  return JSON.stringify(text.length > ECHO_CHARS_MAX ? `${text.slice(0, ECHO_CHARS_MAX)}…` : text);
}
