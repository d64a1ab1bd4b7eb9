import { cut } from 'agent-mailroom/workflow';

const ECHO_CHARS_MAX = 80;

/** What somebody has said, short and on one line, for the answer that says what is wrong with it. */
export function echo(text: string): string {
  return JSON.stringify(cut(text, { charsMax: ECHO_CHARS_MAX }));
}
