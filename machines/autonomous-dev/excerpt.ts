import { cut } from 'agent-mailroom/workflow';

const CHARS_MAX = 8_000;

/** The beginning of a text, so that nobody's words fill the journal. */
export function excerpt(text: string): string {
  return cut(text, { charsMax: CHARS_MAX });
}
