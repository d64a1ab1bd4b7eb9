import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AnyStateMachine } from 'xstate';
import { InvalidInput, isMailroomError } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import type { Host } from '../host/host.ts';
import { resolveFrom } from '../host/resolve-from.ts';
import { canImport } from '../host/resolve-module.ts';
import { importModule } from './import-module.ts';
import { importTypeScript, moduleHint } from './load-typescript.ts';

const TYPESCRIPT = /\.[cm]?tsx?$/;
const EXTENSIONS = ['.ts', '.js', '.mts', '.mjs'];
const MACHINE_FILE = /\.[cm]?[jt]sx?$/;

/** What a machine's file imports besides its own files. */
const PACKAGES = ['agent-mailroom', 'xstate', 'zod'];

export interface MachinePlace {
  /** What the path of the file is relative to. */
  readonly cwd: string;
  /** A file of this package, links followed; what a machine lacks is not found when it is not given. */
  readonly program?: string | undefined;
}

/** Whether the word names a file with code, and no address. */
export function isMachineFile(word: string): boolean {
  return MACHINE_FILE.test(word) || word.includes('/');
}

/**
 * The machine that a file exports: as `machine`, by default, or as the only one. What a machine
 * needs and has not beside it comes from the package of `program`. Throws InvalidInput when there is no such file,
 * it cannot be loaded, or it exports no machine or several.
 */
export async function loadMachine(
  { files }: Pick<Host, 'files'>,
  file: string,
  { cwd, program }: MachinePlace,
): Promise<{ machine: AnyStateMachine; path: string }> {
  const path = resolve(cwd, file);
  if (files.lstat(path) === undefined) {
    const meant = EXTENSIONS.map((extension) => file + extension).find((one) => files.lstat(resolve(cwd, one)));
    throw new InvalidInput(`There is no file ${path}.`, {
      hint: meant ? `Did you mean ${meant}?` : 'Give the file whose export is the machine: mailroom run ship.ts',
    });
  }
  const missing = PACKAGES.filter((name) => !canImport(name, path));
  if (missing.length > 0 && program !== undefined) resolveFrom(program, missing);
  const exported = await importFile(files, path, program);
  const machines = Object.entries(exported).filter(([, value]) => isMachine(value)) as [string, AnyStateMachine][];
  const named = machines.find(([name]) => name === 'machine') ?? machines.find(([name]) => name === 'default');
  const [only, another] = named ? [named] : machines;
  if (only && !another) return { machine: only[1], path };
  const found =
    machines.length === 0 ? 'no machine' : `several machines (${machines.map(([name]) => name).join(', ')})`;
  throw new InvalidInput(`${path} exports ${found}.`, {
    hint: 'Export one as `machine`: export const machine = setup({ … }).createMachine({ … })',
  });
}

async function importFile(
  files: Host['files'],
  path: string,
  program: string | undefined,
): Promise<Readonly<Record<string, unknown>>> {
  try {
    const loaded = TYPESCRIPT.test(path)
      ? await importTypeScript(files, path, program)
      : ((await importModule(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>);
    // What was written, or is run, as CommonJS comes as the default export, and may have one of its own in it.
    const { default: whole } = loaded;
    return typeof whole === 'object' && whole !== null && !isMachine(whole) ? { ...loaded, ...whole } : loaded;
  } catch (error) {
    throw error instanceof InvalidInput && error.message.startsWith(path) ? error : notLoaded(path, error);
  }
}

function notLoaded(path: string, cause: unknown): InvalidInput {
  const message = cause instanceof Error ? cause.message : String(cause);
  // What the library says of a machine comes from the copy that the file imports, and knows better what to do.
  const said = isMailroomError(cause) ? cause.hint : undefined;
  const hint =
    said ?? moduleHint(path, message) ?? missingHint(cause, message) ?? 'Mend the file; --debug shows where.';
  return new InvalidInput(`${path} could not be loaded: ${message.replace(/\s*\n\s*/g, ' ')}`, { cause, hint });
}

/** What to do about an import that was not found; undefined for any other error. */
function missingHint(cause: unknown, message: string): string | undefined {
  if (errnoOf(cause) !== 'ERR_MODULE_NOT_FOUND' && errnoOf(cause) !== 'MODULE_NOT_FOUND') return undefined;
  // Node names it in its message alone: a package by its name, a file by its path.
  const [, name = ''] = /['"]([^'"]+)['"]/.exec(message) ?? [];
  if (/^([./]|file:)/.test(name)) return 'Correct the path of the import; --debug shows where it is.';
  const [packageName = name] = /^((@[^/]+\/)?[^/]+)/.exec(name) ?? [];
  return `Install what it imports beside it: npm install ${packageName}`;
}

/** Told by its form, because it may come from another copy of xstate. */
function isMachine(value: unknown): value is AnyStateMachine {
  return (
    typeof value === 'object' &&
    value !== null &&
    '__xstatenode' in value &&
    'implementations' in value &&
    'root' in value
  );
}
