import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { packPackage } from '../installed/pack-package.ts';
import { fetched } from '../installed/runtimes.ts';

const MODULES = path.join(import.meta.dirname, '..', '..', 'node_modules');
const VERSIONS = ['5.4', '5.5', '5.6', '5.7', '5.8', '5.9', '6', '7'] as const;

/** How a project resolves modules. */
const MODES = {
  node16: { module: 'node16' },
  nodenext: { module: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
} as const;
/** Whether a project lists node's types, lists none, or leaves it to the compiler (TypeScript 6 and 7 then load none). */
const TYPES = { 'types: ["node"]': { types: ['node'] }, 'types: []': { types: [] }, 'no types': {} } as const;

export interface Compiler {
  readonly version: string;
  readonly program: string;
}

/** The installed compilers, oldest first. */
export function compilers(): readonly Compiler[] {
  return VERSIONS.flatMap((version) => {
    const directory = fetched(`typescript-${version}`);
    return directory === undefined ? [] : [{ version, program: path.join(directory, 'bin', 'tsc') }];
  });
}

/** A project that imports every entry of the installed package and checks all declarations that it reads. */
export interface TypedProject extends Disposable {
  /** The compiler's errors; empty if there are none. */
  compile(compiler: Compiler, options: object): Promise<string>;
}

/** Each project set-up, with the name of its test. */
export function settings(): readonly { readonly name: string; readonly options: object }[] {
  return Object.entries(MODES).flatMap(([mode, found]) =>
    Object.entries(TYPES).map(([types, named]) => ({ name: `${mode}, ${types}`, options: { ...found, ...named } })),
  );
}

export function makeTypedProject(): TypedProject {
  const directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-types-')));
  const modules = path.join(directory, 'node_modules');
  const own = path.join(modules, 'agent-mailroom');
  fs.mkdirSync(own, { recursive: true });
  execFileSync('tar', ['-xzf', packPackage(directory), '-C', own, '--strip-components=1']);
  fs.mkdirSync(path.join(modules, '@types'));
  // The packages that its declarations import, and those that node users have installed.
  for (const name of ['xstate', 'zod', '@types/node', 'undici-types']) {
    fs.cpSync(path.join(MODULES, name), path.join(modules, name), { recursive: true });
  }
  fs.writeFileSync(path.join(directory, 'package.json'), '{ "type": "module" }');
  fs.writeFileSync(path.join(directory, 'uses.ts'), usesOf(own));
  return {
    compile: (compiler, options) => compile(compiler, { directory, options }),
    [Symbol.dispose]: () => fs.rmSync(directory, { recursive: true }),
  };
}

function usesOf(directory: string): string {
  const manifest = JSON.parse(fs.readFileSync(path.join(directory, 'package.json'), 'utf8')) as {
    exports: Record<string, string | { types: string }>;
  };
  const typed = Object.entries(manifest.exports).filter(([, target]) => typeof target === 'object');
  if (typed.length < 10) throw new Error(`${typed.length} entries with types; expected the five and the machines`);
  const names = typed.map(([entry]) => `agent-mailroom${entry.slice(1)}`);
  return names.map((name, index) => `export * as entry${index} from '${name}';\n`).join('');
}

function compile(
  { version, program }: Compiler,
  { directory, options }: { readonly directory: string; readonly options: object },
): Promise<string> {
  const config = path.join(directory, `tsconfig.${version}-${Object.values(options).flat().join('-')}.json`);
  const compilerOptions = { strict: true, noEmit: true, skipLibCheck: false, target: 'es2022', ...options };
  fs.writeFileSync(config, JSON.stringify({ compilerOptions, files: ['uses.ts'] }));
  const child = spawn(process.execPath, [program, '-p', config, '--pretty', 'false'], { cwd: directory });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (said += data.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve(code === 0 ? '' : `${code}: ${said}`)));
}
