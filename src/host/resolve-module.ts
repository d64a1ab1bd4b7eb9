import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { realPathOf } from './real-path.ts';

/** The URL of the module that `specifier` means to a file in that place, or to the one it links to; undefined when it means nothing there. */
export function resolveModule(specifier: string, fromFile: string): string | undefined {
  try {
    return pathToFileURL(createRequire(realPathOf(fromFile) ?? fromFile).resolve(specifier)).href;
  } catch {
    return undefined;
  }
}

/** What a file of CommonJS exports. */
export function requireFile(file: string): unknown {
  return createRequire(file)(file);
}

/** Whether a file in that place, or the one it links to, can import a package. */
export function canImport(name: string, fromFile: string): boolean {
  // Where packages usually are: to ask for the module itself takes a ms, and each machine is loaded by this.
  const real = realPathOf(fromFile) ?? fromFile;
  for (let at = dirname(real); at !== dirname(at); at = dirname(at)) {
    if (existsSync(join(at, 'node_modules', name))) return true;
  }
  // `require` also looks into NODE_PATH, which pnpm sets for the commands of a project; `import` does not.
  return !process.env['NODE_PATH'] && resolveModule(`${name}/package.json`, fromFile) !== undefined;
}

/**
 * Whether a file lies directly in this directory of the package that `program` belongs to, links followed on both sides.
 * False for a file that does not exist.
 */
export function isPackageFile(file: string, { directory, program }: { directory: string; program: string }): boolean {
  const manifest = resolveModule('agent-mailroom/package.json', program);
  const real = realPathOf(file);
  if (manifest === undefined || real === undefined) return false;
  return dirname(real) === realPathOf(join(dirname(fileURLToPath(manifest)), directory));
}
