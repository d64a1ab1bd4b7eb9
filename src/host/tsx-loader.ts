import Module, { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { errnoOf } from './file-system.ts';
import { resolveModule } from './resolve-module.ts';

type Exports = Readonly<Record<string, unknown>>;

/** Of tsx, what is used here. Its two parts are loaded apart, because that for `import` takes five times as long. */
interface TsxForRequire {
  readonly register: () => () => void;
}
interface TsxForImport {
  readonly register: (options: { readonly namespace: string }) => {
    (): Promise<void>;
    readonly import: (specifier: string, parent: string) => Promise<unknown>;
  };
}

/** What only `import` can load: a top-level await, and a package that offers nothing to `require`. */
const ONLY_IMPORTED = [
  'ERR_REQUIRE_ASYNC_MODULE',
  'ERR_REQUIRE_ESM',
  'ERR_PACKAGE_PATH_NOT_EXPORTED',
  'ERR_MODULE_NOT_FOUND',
  'MODULE_NOT_FOUND',
];
const TYPESCRIPT = /\.[cm]?tsx?$/;

/** A file beside which tsx is installed, of these; undefined when there is none. */
export function findTsx(files: readonly string[]): string | undefined {
  return files.find((file) => resolveModule('tsx/cjs/api', file) !== undefined);
}

/** Whether this process loads TypeScript: Node itself, which strips the types, or what has a hand in it, such as `node --import tsx`. */
export function isTypeScriptLoaded(): boolean {
  // The types of Node 20 do not know it yet.
  const { typescript } = process.features as { readonly typescript?: string | false };
  return Boolean(typescript) || '.ts' in (Module as unknown as { readonly _extensions: object })['_extensions'];
}

/** Loads a TypeScript file by the tsx that is installed beside the file `tsx`; `importModule` imports what has this URL. */
export async function loadByTsx(
  path: string,
  { tsx, importModule }: { readonly tsx: string; readonly importModule: (url: string) => Promise<unknown> },
): Promise<Exports> {
  // What runs has all its code on one line; a person is told the line of the source.
  process.setSourceMapsEnabled(true);
  const require = createRequire(tsx);
  const unregister = (require('tsx/cjs/api') as TsxForRequire).register();
  try {
    try {
      const loaded = createRequire(path)(path) as Exports;
      if (!hasImportMetaResolve(require.cache)) return loaded;
    } catch (error) {
      if (!isOnlyImported(error)) throw error;
    }
    // What it offers to `require` looks for its parts in the wrong place.
    const part = require.resolve('tsx/esm/api').replace(/\.cjs$/, '.mjs');
    return await importByTsx(path, (await importModule(pathToFileURL(part).href)) as TsxForImport);
  } finally {
    unregister();
  }
}

/** Under names of its own, because Node keeps what it could not load under the usual ones. */
async function importByTsx(path: string, { register }: TsxForImport): Promise<Exports> {
  const registered = register({ namespace: 'mailroom' });
  try {
    const url = pathToFileURL(path).href;
    const { import: load } = registered;
    return (await load(url, url)) as Exports;
  } finally {
    await registered();
  }
}

function isOnlyImported(error: unknown): boolean {
  if (ONLY_IMPORTED.includes(errnoOf(error) ?? '')) return true;
  return error instanceof Error && /Top-level await|import_meta/.test(error.message);
}

/** Whether a module that was loaded has `import.meta.resolve`, which what tsx makes for `require` does not have. */
function hasImportMetaResolve(cache: object): boolean {
  return Object.keys(cache).some(
    (file) => TYPESCRIPT.test(file) && readFileSync(file, 'utf8').includes('import.meta.resolve'),
  );
}
