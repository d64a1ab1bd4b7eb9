import { existsSync } from 'node:fs';
import Module from 'node:module';
import { createRequire, register } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { errnoOf } from './file-system.ts';
import { realPathOf } from './real-path.ts';

/**
 * The URL of the module that `specifier` resolves to from that file, or from the file it links to; undefined if there
 * is none.
 */
export function resolveModule(specifier: string, fromFile: string): string | undefined {
  try {
    return pathToFileURL(createRequire(realPathOf(fromFile) ?? fromFile).resolve(specifier)).href;
  } catch {
    return undefined;
  }
}

/** The exports of a CommonJS file. */
export function requireFile(file: string): unknown {
  return createRequire(file)(file);
}

/** Whether that file, or the one it links to, can import a package. */
export function canImport(name: string, fromFile: string): boolean {
  // Where packages usually are: resolving the module itself takes a ms, and this runs for each machine loaded.
  const real = realPathOf(fromFile) ?? fromFile;
  for (let at = dirname(real); at !== dirname(at); at = dirname(at)) {
    if (existsSync(join(at, 'node_modules', name))) return true;
  }
  // `require` also looks into NODE_PATH, which pnpm sets for the commands of a project; `import` does not.
  return !process.env['NODE_PATH'] && resolveModule(`${name}/package.json`, fromFile) !== undefined;
}

/**
 * Whether a file is directly in this directory of the package that `program` belongs to, links followed on both sides.
 * False for a file that does not exist.
 */
export function isPackageFile(file: string, { directory, program }: { directory: string; program: string }): boolean {
  const manifest = resolveModule('agent-mailroom/package.json', program);
  const real = realPathOf(file);
  if (manifest === undefined || real === undefined) return false;
  return dirname(real) === realPathOf(join(dirname(fileURLToPath(manifest)), directory));
}

/** Node 22.15 and later: for `import` and `require`, in this thread. */
interface Hooks {
  readonly registerHooks?: (hooks: { resolve: Resolve }) => void;
}

type Resolve = (
  specifier: string,
  context: { readonly parentURL?: string | undefined; readonly conditions?: readonly string[] },
  nextResolve: (specifier: string, context: object) => unknown,
) => unknown;

/** What `require` calls. Undocumented, but every program that hooks into loading depends on it. */
interface Resolver {
  _resolveFilename: (
    this: unknown,
    request: string,
    parent: { readonly filename?: string | null } | undefined,
    ...more: unknown[]
  ) => string;
}

/** Error codes of a search that found nothing: the second one by `require`, and by yarn's Plug'n'Play for both. */
const NOT_FOUND = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'];

/** The hook of `import` for older versions: the text of a module, because it runs in a thread of its own. */
const HOOK = `
let packages, notFound, parentURL;
export const initialize = (data) => ({ packages, notFound, parentURL } = data);
export async function resolve(specifier, context, nextResolve) {
  try {
    return await nextResolve(specifier, context);
  } catch (error) {
    const isOne = packages.some((name) => specifier === name || specifier.startsWith(name + '/'));
    if (!isOne || !notFound.includes(error.code)) throw error;
    return nextResolve(specifier, { ...context, parentURL });
  }
}`;

/**
 * Makes imports of these packages, if they find nothing, resolve as if they were in this file: for all modules that
 * this process loads from now on. A package installed nearer is still found first.
 */
export function resolveFrom(file: string, packages: readonly string[]): void {
  const parentURL = pathToFileURL(file).href;
  const isOne = (specifier: string): boolean =>
    packages.some((name) => specifier === name || specifier.startsWith(`${name}/`));
  const require = createRequire(file);
  const { registerHooks } = Module as Hooks;
  if (registerHooks) {
    registerHooks({
      resolve: (specifier, context, nextResolve) => {
        try {
          return nextResolve(specifier, context);
        } catch (error) {
          if (!isOne(specifier) || context.parentURL === parentURL) throw error;
          if (!NOT_FOUND.includes(errnoOf(error) ?? '')) throw error;
          // `require` resolves from its own parent, whatever the context says.
          const isRequired = errnoOf(error) === 'MODULE_NOT_FOUND' && !context.conditions?.includes('import');
          return isRequired
            ? { url: pathToFileURL(require.resolve(specifier)).href, shortCircuit: true }
            : nextResolve(specifier, { ...context, parentURL });
        }
      },
    });
    return;
  }
  register(`data:text/javascript,${encodeURIComponent(HOOK)}`, { data: { packages, notFound: NOT_FOUND, parentURL } });
  const resolver = Module as unknown as Resolver;
  const resolveFilename = resolver['_resolveFilename'];
  resolver['_resolveFilename'] = function (request, parent, ...more) {
    try {
      return resolveFilename.call(this, request, parent, ...more);
    } catch (error) {
      const isElsewhere = parent?.filename !== file && isOne(request);
      if (!isElsewhere || errnoOf(error) !== 'MODULE_NOT_FOUND') throw error;
      return require.resolve(request);
    }
  };
}
