// Chooses from the declarations that the compiler wrote those that a user's compiler reads: the entries, and what they lead to.
// Each keeps its map, by which an editor goes from a name to the source, which lies in dist/src or ships anyway.
import fs from 'node:fs';
import path from 'node:path';

/** Programs for which node's types are not loaded by themselves (TypeScript 6 and later load none) still have to know Buffer and AbortSignal. */
const NODE_TYPES = '/// <reference types="node" />\n';
const MAP_COMMENT = /\n\/\/# sourceMappingURL=.*\s*$/;
const RELATIVE = /(?:\bfrom|\bimport\(|\bimport)\s*(['"])(\.{1,2}\/[^'"]+)\1/g;

/**
 * Writes the declarations of the entries, which are named without their extension, from one directory into another one, and
 * returns the names of all that is declared. `sources` is where the sources will lie, as it is seen from there.
 * @param {{ from: string, to: string, entries: readonly string[], sources: string }} places
 */
export function writeDeclarations({ from, to, entries, sources }) {
  const reached = reachedFrom(from, entries);
  for (const name of reached) {
    const declared = fs.readFileSync(path.join(from, `${name}.d.ts`), 'utf8');
    const text = entries.includes(name) ? NODE_TYPES + declared : declared;
    const target = path.join(to, `${name}.d.ts`);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, text);
    const map = JSON.parse(fs.readFileSync(path.join(from, `${name}.d.ts.map`), 'utf8'));
    map.sources = [`${'../'.repeat(name.split('/').length - 1)}${sources}/${name}.ts`];
    // A line of the map for each of the text, of which there is one more.
    if (text !== declared) map.mappings = `;${map.mappings}`;
    fs.writeFileSync(`${target}.map`, JSON.stringify(map));
  }
  return reached;
}

/**
 * @param {string} from
 * @param {readonly string[]} entries
 */
function reachedFrom(from, entries) {
  const reached = [...entries];
  // Grows while it is gone through.
  for (const name of reached) {
    const text = fs.readFileSync(path.join(from, `${name}.d.ts`), 'utf8');
    if (!MAP_COMMENT.test(text)) throw new Error(`${name}.d.ts has no map`);
    for (const [, , specifier = ''] of text.matchAll(RELATIVE)) {
      const next = path.join(path.dirname(name), specifier).replace(/\.[jt]s$/, '');
      if (!reached.includes(next)) reached.push(next);
    }
  }
  return reached;
}
