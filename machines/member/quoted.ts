import { cut } from 'agent-mailroom/workflow';

/** Words of others in a text of one's own: nothing in them can be taken for the text around them. */
export function quoted(text: string): string {
  return text
    .trim()
    .split('\n')
    .map((line) => `> ${line}`.trimEnd())
    .join('\n');
}

/** The beginning of a text, and how much is left out. */
export function clipped(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  const begun = cut(text, { charsMax, mark: '' });
  return `${begun}\n… (${text.length - begun.length} more characters)`;
}
