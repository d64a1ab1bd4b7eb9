export interface ImportFound {
  readonly specifier: string;
  readonly line: number;
  /** Whether the statement is erased by the compiler: `import type` or `export type`, not an inline `type`. */
  readonly typeOnly: boolean;
  /** The named bindings that remain at run time; undefined for a namespace, default, bare or dynamic import. */
  readonly names: readonly string[] | undefined;
}

// The formatter puts every import declaration at the start of a line, so no parser is needed to find them.
const DECLARATION = /^(?:import|export)\s+(type\s+)?([\w$*\s{},]*?)\s*\bfrom\s*(['"])([^'"\n]+)\3/gm;
const BARE = /^import\s*(['"])([^'"\n]+)\1/gm;
const DYNAMIC = /\b(?:import|require)\(\s*(['"`])([^'"`\n]+)\1/g;
const COMMENT_LINE = /^\s*(?:\/\/|\/\*|\*)/;

/** Every module that a source file names: declarations, bare imports, `import('…')` and `require('…')`. */
export function importsOf(source: string): ImportFound[] {
  const found: ImportFound[] = [];
  for (const match of source.matchAll(DECLARATION)) {
    const typeOnly = match[1] !== undefined;
    found.push({
      specifier: match[4] ?? '',
      line: lineAt(source, match.index),
      typeOnly,
      names: runTimeNames(match[2] ?? ''),
    });
  }
  for (const match of source.matchAll(BARE)) {
    found.push({ specifier: match[2] ?? '', line: lineAt(source, match.index), typeOnly: false, names: undefined });
  }
  for (const match of source.matchAll(DYNAMIC)) {
    if (isInComment(source, match.index)) continue;
    found.push({ specifier: match[2] ?? '', line: lineAt(source, match.index), typeOnly: false, names: undefined });
  }
  return found.toSorted((a, b) => a.line - b.line);
}

/** Whether the character at `index` is in a line of a comment, such as an example. */
export function isInComment(source: string, index: number): boolean {
  return COMMENT_LINE.test(source.split('\n')[lineAt(source, index) - 1] ?? '');
}

/** The line, counted from 1, that holds the character at `index`. */
export function lineAt(source: string, index: number): number {
  return source.slice(0, index).split('\n').length;
}

function runTimeNames(clause: string): string[] | undefined {
  const braces = /^\{([^}]*)\}$/.exec(clause.trim());
  if (!braces) return undefined;
  const names = (braces[1] ?? '').split(',').map((name) => name.trim());
  return names
    .filter((name) => name !== '' && !name.startsWith('type '))
    .map((name) => name.split(/\s+as\s+/)[0] ?? name);
}
