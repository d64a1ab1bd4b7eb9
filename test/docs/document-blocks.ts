import fs from 'node:fs';
import path from 'node:path';

/** A fenced block of a document: what its fence says behind the language, and its lines. */
export interface Block {
  readonly language: string;
  /** `ready.ts`, `terminal 1` … */
  readonly label: string;
  readonly text: string;
}

export function readBlocks(document: string): Block[] {
  const text = fs.readFileSync(path.join(import.meta.dirname, '..', '..', 'docs', document), 'utf8');
  return [...text.matchAll(/^```(\w+)(?: ([^\n]+))?\n(.*?)^```$/gms)].map(
    ([, language = '', label = '', lines = '']) => ({
      language,
      label,
      text: lines,
    }),
  );
}

/** A command of a console block and what it is said to print. */
export interface Told {
  /** Undefined for what an earlier command of the same terminal goes on to print. */
  readonly command: string | undefined;
  readonly output: string;
}

export function commandsIn({ text }: Block): Told[] {
  const told: { command: string | undefined; output: string }[] = [];
  for (const line of text.split(/^(?=\$ )/m)) {
    const [first = '', ...rest] = line.split('\n');
    if (first.startsWith('$ ')) told.push({ command: first.slice(2), output: rest.join('\n') });
    else told.push({ command: undefined, output: line });
  }
  return told;
}

/** What stays the same from run to run: without times, ids, process numbers, directories and the width of columns. */
export function shapeOf(output: string): string {
  return output
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g, '<time>')
    .replaceAll(/\/\S+\/\.mailroom/g, '<room>')
    .replaceAll(/\b[0-9a-f]{16}\b/g, '<hash>')
    .replaceAll(/\b[0-9a-f]{8}\b/g, '<id>')
    .replaceAll(/\b\d+(?:ms|s|m|h) ago/g, '<age>')
    .replaceAll(/process \d+/g, 'process <pid>')
    .replaceAll(/(?<=<age>\s+)\d+(?=\s)/g, '<pid>')
    .replaceAll(/^#\d+/gm, '#<n>')
    .replaceAll(/[ \t]+/g, ' ')
    .trim();
}
