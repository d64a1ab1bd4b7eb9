import Module, { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { errnoOf } from './file-system.ts';
import { resolveModule } from './resolve-module.ts';

type ModuleExports = Readonly<Record<string, unknown>>;

/**
 * The part of tsx used here. Its two entries are loaded separately, because the one for `import` takes five times as
 * long.
 */
interface TsxForRequire {
  readonly register: () => () => void;
}
interface TsxForImport {
  readonly register: (options: { readonly namespace: string }) => {
    (): Promise<void>;
    readonly import: (specifier: string, parent: string) => Promise<unknown>;
  };
}

/**
 * Errors that mean only `import` can load the file: a top-level await, or a package that exports nothing to `require`.
 */
const ONLY_IMPORTED = [
  'ERR_REQUIRE_ASYNC_MODULE',
  'ERR_REQUIRE_ESM',
  'ERR_PACKAGE_PATH_NOT_EXPORTED',
  'ERR_MODULE_NOT_FOUND',
  'MODULE_NOT_FOUND',
];
const TYPESCRIPT = /\.[cm]?tsx?$/;

/** The first of these files beside which tsx is installed; undefined if there is none. */
export function findTsx(files: readonly string[]): string | undefined {
  return files.find((file) => resolveModule('tsx/cjs/api', file) !== undefined);
}

/**
 * Whether this process loads TypeScript: because Node strips the types, or because of a loader such as `node --import
 * tsx`.
 */
export function isTypeScriptLoaded(): boolean {
  // The types of Node 20 do not know it yet.
  const { typescript } = process.features as { readonly typescript?: string | false };
  return Boolean(typescript) || '.ts' in (Module as unknown as { readonly _extensions: object })['_extensions'];
}

/**
 * Loads a TypeScript file with the tsx that is installed beside the file `tsx`; `importModule` imports the module at a
 * URL.
 */
export async function loadByTsx(
  path: string,
  { tsx, importModule }: { readonly tsx: string; readonly importModule: (url: string) => Promise<unknown> },
): Promise<ModuleExports> {
  // The compiled code is all on one line; source maps give people the line of the source.
  process.setSourceMapsEnabled(true);
  const require = createRequire(tsx);
  const unregister = (require('tsx/cjs/api') as TsxForRequire).register();
  try {
    try {
      const loaded = createRequire(path)(path) as ModuleExports;
      if (!hasImportMetaResolve(require.cache)) return loaded;
    } catch (error) {
      if (!isOnlyImported(error)) throw error;
    }
    // The entry for `require` looks for its parts in the wrong place.
    const part = require.resolve('tsx/esm/api').replace(/\.cjs$/, '.mjs');
    return await importByTsx(path, (await importModule(pathToFileURL(part).href)) as TsxForImport);
  } finally {
    unregister();
  }
}

/** In a namespace of its own, because Node caches failures under the usual names. */
async function importByTsx(path: string, { register }: TsxForImport): Promise<ModuleExports> {
  const registered = register({ namespace: 'mailroom' });
  try {
    const url = pathToFileURL(path).href;
    const { import: load } = registered;
    return (await load(url, url)) as ModuleExports;
  } finally {
    await registered();
  }
}

function isOnlyImported(error: unknown): boolean {
  if (ONLY_IMPORTED.includes(errnoOf(error) ?? '')) return true;
  return error instanceof Error && /Top-level await|import_meta/.test(error.message);
}

/** Whether a loaded module uses `import.meta.resolve`, which modules that tsx compiles for `require` do not have. */
function hasImportMetaResolve(cache: object): boolean {
  return Object.keys(cache).some(
    (file) => TYPESCRIPT.test(file) && readFileSync(file, 'utf8').includes('import.meta.resolve'),
  );
}
