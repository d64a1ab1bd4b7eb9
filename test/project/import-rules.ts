import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { importsOf, type ImportFound } from './imports.ts';

/** Source text by its path below `src`, with forward slashes. */
export type Sources = ReadonlyMap<string, string>;

/** Bottom first: a file may import its own layer and those before it. */
export const LAYERS = [
  'visible.ts',
  'errors.ts',
  'host',
  'chain',
  'message',
  'signing',
  'rate',
  'log',
  'mailbox',
  'room',
  'jobs',
  'agents',
  'hooks',
  'workflow',
  'step',
  'diagram',
  'journal',
  'runtime',
  'inspector',
  'history',
  'testing',
  'cli',
];

/** The same for `machines`: a folder and the machine of that name beside it are one layer. */
export const MACHINE_LAYERS = [
  'shared',
  'poll',
  'consensus',
  'code-review',
  'work-distributor',
  'autonomous-dev',
  'member',
  'team',
];

/** The package's entries: each may import all layers but the last, and no layer imports them. */
const ENTRIES = ['index.ts', 'workflow.ts', 'runtime.ts', 'testing.ts', 'agents.ts'];

const BUILTINS_ANYWHERE = ['node:buffer', 'node:crypto', 'node:events', 'node:path', 'node:url', 'node:util'];
const BUILTINS_OF_CLI = ['node:process', 'node:readline', 'node:stream', 'node:tty'];
/** Random bytes come from the host, so that a test can supply them. */
const RANDOM_NAMES = /^(?:random|getRandomValues$|webcrypto$)/;

/** Which layers may load a package. */
const PACKAGE_LAYERS: Readonly<Record<string, readonly string[]>> = {
  '#elk': ['diagram'],
  chokidar: ['host'],
  execa: ['host'],
  'jsonc-parser': ['hooks'],
  'proper-lockfile': ['host'],
  tsx: ['host'],
  xstate: ['workflow', 'step', 'diagram', 'runtime', 'inspector', 'testing', 'cli'],
  zod: ['room', 'agents', 'workflow', 'step', 'journal', 'runtime', 'testing', 'cli'],
};

/** Every import of a higher layer, of a package outside of its layers, or in a cycle, one sentence each. */
export function importViolations(sources: Sources): string[] {
  const violations: string[] = [];
  for (const [path, source] of sources) {
    const layer = layerOf(path);
    if (!ENTRIES.includes(layer) && !LAYERS.includes(layer)) {
      violations.push(`${path}: "${layer}" is no layer; the layers are ${[...LAYERS, ...ENTRIES].join(', ')}`);
    }
    for (const found of importsOf(source)) {
      const fault = found.specifier.startsWith('.') ? directionFault(path, found, sources) : doorFault(layer, found);
      if (fault) violations.push(`${path}:${found.line} imports ${found.specifier}: ${fault}`);
    }
  }
  return [...violations, ...cycles(sources)];
}

/** The same for the machines that ship, which import the package by its name, as users do. */
export function machineViolations(sources: Sources): string[] {
  const violations: string[] = [];
  for (const [path, source] of sources) {
    const from = MACHINE_LAYERS.indexOf(layerOf(path).replace(/\.ts$/, ''));
    if (from < 0) violations.push(`${path}: no layer; the layers are ${MACHINE_LAYERS.join(', ')}`);
    for (const { specifier, line } of importsOf(source)) {
      if (!specifier.startsWith('.')) continue;
      const target = resolve(path, specifier);
      const to = MACHINE_LAYERS.indexOf(layerOf(target).replace(/\.ts$/, ''));
      if (!sources.has(target)) violations.push(`${path}:${line} imports ${specifier}: no such file in machines`);
      else if (to > from) violations.push(`${path}:${line} imports ${specifier}, a layer above its own`);
    }
  }
  return [...violations, ...cycles(sources)];
}

/** The importers of each file, by their paths. */
export function importersOf(sources: Sources): ReadonlyMap<string, readonly string[]> {
  const importers = new Map<string, string[]>();
  for (const [path, source] of sources) {
    const targets = importsOf(source).filter(({ specifier }) => specifier.startsWith('.'));
    for (const target of new Set(targets.map(({ specifier }) => resolve(path, specifier))))
      importers.set(target, [...(importers.get(target) ?? []), path]);
  }
  return importers;
}

function directionFault(path: string, found: ImportFound, sources: Sources): string | undefined {
  const target = resolve(path, found.specifier);
  if (!sources.has(target)) return 'no such file in src';
  const from = layerOf(path);
  const to = layerOf(target);
  if (from === to) return undefined;
  if (ENTRIES.includes(to)) return `${to} is for users of the package, import the file that has it`;
  if (ENTRIES.includes(from)) return to === 'cli' ? 'the library does not know its command line' : undefined;
  return LAYERS.indexOf(to) < LAYERS.indexOf(from)
    ? undefined
    : `"${from}" comes before "${to}", and a layer knows only those before it`;
}

function doorFault(layer: string, found: ImportFound): string | undefined {
  if (found.typeOnly) return undefined;
  const name = packageOf(found.specifier);
  const allowedIn = PACKAGE_LAYERS[name];
  if (allowedIn) return allowedIn.includes(layer) ? undefined : `only ${allowedIn.join(', ')} may load ${name}`;
  if (name.startsWith('node:') && layer === 'host') return undefined;
  if (!name.startsWith('node:')) return 'no rule for this; packages and their layers are listed in this test';
  if (name === 'node:crypto' && found.names?.some((imported) => RANDOM_NAMES.test(imported))) {
    return 'random bytes come from the host, so that a test can give them';
  }
  if (BUILTINS_ANYWHERE.includes(name) || (layer === 'cli' && BUILTINS_OF_CLI.includes(name))) return undefined;
  if (name === 'node:fs' && found.names?.every((imported) => imported === 'constants')) return undefined;
  return 'only host touches the system, ask it through a port';
}

/** One line per import that closes a cycle, type imports included. */
export function cycles(sources: Sources): string[] {
  const found: string[] = [];
  const finished = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      found.push(`import cycle: ${[...trail.slice(trail.indexOf(path)), path].join(' → ')}`);
      return;
    }
    if (finished.has(path)) return;
    for (const { specifier } of importsOf(sources.get(path) ?? '')) {
      if (specifier.startsWith('.')) visit(resolve(path, specifier), [...trail, path]);
    }
    finished.add(path);
  };
  for (const path of sources.keys()) visit(path, []);
  return found;
}

function resolve(path: string, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(path), specifier));
}

function layerOf(path: string): string {
  return path.split('/')[0] ?? path;
}

/** `zod/mini` → `zod`, `node:fs/promises` → `node:fs`, `fs` → `node:fs`. */
function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  const name = specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier);
  return isBuiltin(name) && !name.startsWith('node:') ? `node:${name}` : name;
}
