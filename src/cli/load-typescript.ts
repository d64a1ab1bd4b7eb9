import { pathToFileURL } from 'node:url';
import { InvalidInput } from '../errors.ts';
import { errnoOf, type FileSystem } from '../host/file-system.ts';
import { mainProgram } from '../host/main-program.ts';
import { realPathOf } from '../host/real-path.ts';
import { requireFile } from '../host/resolve-module.ts';
import { findTsx, isTypeScriptLoaded, loadByTsx } from '../host/tsx-loader.ts';

type Exports = Readonly<Record<string, unknown>>;

const INSTALL_TSX = 'npm install --save-dev tsx';

/** Bun and Deno load TypeScript by themselves. */
const IS_OTHER_RUNTIME = process.versions['bun'] !== undefined || process.versions['deno'] !== undefined;

/** Node's error codes for a file that it cannot load as TypeScript, but tsx may, with the reason. */
const LACKING: Readonly<Record<string, string>> = {
  ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX: 'Node only strips types',
  ERR_INVALID_TYPESCRIPT_SYNTAX: 'Node only strips types',
  ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING: 'Node strips no types below node_modules',
  ERR_UNKNOWN_FILE_EXTENSION: 'Node loads no such file by itself',
};
const NOT_FOUND = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND', 'ERR_UNSUPPORTED_DIR_IMPORT'];
/** An import through `paths` of a tsconfig.json: it cannot be the name of a package. */
const MAPPED = /'((?:[~@#]\/|[~#])[^']*)'/;

/** A shipped machine, whose compiled form lies beside it. */
const SHIPPED = /^(.*[/\\]node_modules[/\\]agent-mailroom[/\\])machines([/\\].+)\.ts$/;

/**
 * Imports a TypeScript file; resolves with its exports. Node loads it if it strips types. What Node cannot load is loaded by
 * tsx, if that is installed beside the file or beside `program`. Throws InvalidInput, with the remedies, if neither can load
 * it.
 */
export async function importTypeScript(
  files: Pick<FileSystem, 'lstat'>,
  path: string,
  program: string | undefined,
): Promise<Exports> {
  const url = pathToFileURL(compiledForm(files, path) ?? path).href;
  if (!url.endsWith('ts') && !url.endsWith('tsx')) return importExports(url);
  if (IS_OTHER_RUNTIME || mainProgram(url) !== undefined) return importExports(url);
  let refused: unknown;
  const isLoadedByNode = isTypeScriptLoaded();
  if (isLoadedByNode) {
    try {
      return await withoutWarnings(() => (path.endsWith('.cts') ? loadCommonJs(path) : importExports(url)));
    } catch (error) {
      if (!isOfTypeScript(error)) throw error;
      refused = error;
    }
  }
  const tsx = findTsx(program === undefined ? [path] : [path, program]);
  if (tsx !== undefined) return loadByTsx(path, { tsx, importModule });
  throw isLoadedByNode ? explained(files, path, refused) : needsTsx(path);
}

async function importExports(url: string): Promise<Exports> {
  return (await importModule(url)) as Exports;
}

/** Loads by `require`: after an `import`, Node 22 would not find in our package what the file requires. */
async function loadCommonJs(path: string): Promise<Exports> {
  return Promise.resolve(requireFile(path) as Exports);
}

/** Suppresses Node's warnings about stripping types, and about a package.json without a "type". */
async function withoutWarnings(load: () => Promise<Exports>): Promise<Exports> {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = ((warning: string | Error, ...more: [unknown, unknown]): void => {
    const text = String(warning);
    const isExpected = /^Type Stripping is|^Module type of file:/.test(text);
    if (!isExpected) Reflect.apply(emitWarning, undefined, [warning, ...more]);
  }) as typeof process.emitWarning;
  try {
    return await load();
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** The JavaScript of a machine that ships with this package, wherever it is installed; Node strips no types there. */
function compiledForm(files: Pick<FileSystem, 'lstat'>, path: string): string | undefined {
  const [, root, name] = SHIPPED.exec(realPathOf(path) ?? path) ?? [];
  const compiled = root === undefined ? undefined : `${root}dist/machines${name}.js`;
  return compiled !== undefined && files.lstat(compiled) !== undefined ? compiled : undefined;
}

/** Whether the file may be valid and merely need more than Node's type stripping. */
function isOfTypeScript(error: unknown): boolean {
  const code = errnoOf(error) ?? '';
  return error instanceof SyntaxError || code in LACKING || NOT_FOUND.includes(code);
}

function needsTsx(path: string): InvalidInput {
  return new InvalidInput(
    `${path} could not be loaded: Node ${process.versions.node} runs no TypeScript, and tsx is not installed.`,
    { hint: `Install it beside the file (${INSTALL_TSX}), or use Node 22.18 or newer, which needs no tsx.` },
  );
}

/**
 * The hint for a module that Node took for CommonJS, because its package.json says so, as that of `npm init` does since npm
 * 11; undefined for any other error.
 */
export function moduleHint(path: string, message: string): string | undefined {
  if (!/Cannot use import statement outside a module|Unexpected token 'export'/.test(message)) return undefined;
  const asModule = path.replace(/\.([jt]s)x?$/, '.m$1');
  return `Its package.json says that it is CommonJS: write "type": "module" there, or rename the file to ${asModule.slice(asModule.lastIndexOf('/') + 1)}`;
}

/** Node's error for a file that tsx might load, with the remedies; the error itself if tsx would not help. */
function explained(files: Pick<FileSystem, 'lstat'>, path: string, cause: unknown): unknown {
  const code = errnoOf(cause) ?? '';
  const message = (cause instanceof Error ? cause.message : String(cause)).replace(/\s*\n\s*/g, ' ');
  const refuse = (why: string, hint: string): InvalidInput =>
    new InvalidInput(`${path} could not be loaded: ${message}${why}`, { cause, hint });
  const tsxHelps = `install tsx beside the file, which does more than strip types: ${INSTALL_TSX}`;
  const lacking = LACKING[code];
  if (lacking !== undefined) return refuse(` (${lacking}.)`, `Do without it, or ${tsxHelps}`);
  if (NOT_FOUND.includes(code)) {
    const [, asked = '', ending = ''] = /'([^']+)\.([cm]?)jsx?'/.exec(message) ?? [];
    const source = asked.replace(/^file:\/\//, '') + `.${ending}ts`;
    if (asked !== '' && files.lstat(source) !== undefined)
      return refuse('', `Import ${source.slice(source.lastIndexOf('/') + 1)} by that name, or ${tsxHelps}`);
    return MAPPED.test(message) ? refuse('', `If that is a path of a tsconfig.json, ${tsxHelps}`) : cause;
  }
  const asModule = moduleHint(path, message);
  if (asModule !== undefined) return refuse('', `${asModule}, or ${tsxHelps}`);
  const hint = /does not provide an export/.test(message)
    ? `If that is a type, import it by \`import type\`, or ${tsxHelps}`
    : `Fix the file, or, if it is valid (a decorator, for example), ${tsxHelps}`;
  return refuse('', hint);
}

/**
 * Imports a module whose name is known only at run time. Commands that are built as scripts import such modules only here,
 * because the build gives a script another way to import.
 */
export function importModule(name: string): Promise<unknown> {
  return import(name);
}
