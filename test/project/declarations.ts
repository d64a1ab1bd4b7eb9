import { parseSync, Visitor, type ParseResult, type VisitorObject } from 'oxc-parser';
import type { Sources } from './import-rules.ts';
import { lineAt } from './imports.ts';

const FUNCTION_LINES_MAX = 70;

/** Functions, methods and arrow functions over 70 lines, from the first line of the declaration to the last one. */
export function longFunctions(sources: Sources): string[] {
  return [...sources].flatMap(([path, text]) => {
    const found: string[] = [];
    const look = ({ start, end }: { readonly start: number; readonly end: number }): void => {
      const line = lineAt(text, start);
      const lines = lineAt(text, end) - line + 1;
      if (lines > FUNCTION_LINES_MAX) found.push(`${path}:${line} (${lines} lines)`);
    };
    visit(path, text, { FunctionDeclaration: look, FunctionExpression: look, ArrowFunctionExpression: look });
    return found;
  });
}

/** Names of interfaces, types, classes and enums that more than one file declares; declarations inside of functions too. */
export function ambiguousTypes(sources: Sources): string[] {
  const files = new Map<string, Set<string>>();
  for (const [path, text] of sources) {
    const note = ({ id }: { readonly id: { readonly name: string } | null }): void => {
      if (id) files.set(id.name, (files.get(id.name) ?? new Set()).add(path));
    };
    visit(path, text, {
      ClassDeclaration: note,
      TSEnumDeclaration: note,
      TSInterfaceDeclaration: note,
      TSTypeAliasDeclaration: note,
    });
  }
  const several = [...files].filter(([, paths]) => paths.size > 1);
  return several.map(([type, paths]) => `${type}: ${[...paths].join(', ')}`).toSorted();
}

function visit(path: string, text: string, visitor: VisitorObject): void {
  const { program, errors } = parsed.get(text) ?? parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path} cannot be parsed: ${errors[0]?.message}`);
  parsed.set(text, { program, errors });
  new Visitor(visitor).visit(program);
}

/** By the text: each rule visits the same sources. */
const parsed = new Map<string, Pick<ParseResult, 'program' | 'errors'>>();
