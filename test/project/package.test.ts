import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type * as index from '../../src/index.ts';
import type * as workflow from '../../src/workflow.ts';

const ROOT = dirname(dirname(import.meta.dirname));
const BUILD_HINT = 'run `npm run build` first';

interface Package {
  readonly name: string;
  readonly scripts: Readonly<Record<string, string>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

interface Locked {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const pkg: Package = JSON.parse(text('package.json'));

describe('the README', () => {
  it('explains every dependency in a row of its table', () => {
    const rows = text('README.md')
      .split('\n')
      .filter((line) => line.trimStart().startsWith('|'))
      .join('\n');
    const names = Object.keys({ ...pkg.dependencies, ...pkg.devDependencies });
    console.log(`${names.length} dependencies looked up in the README`);
    expect(names.filter((name) => !rows.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('the entries', () => {
  it('have each public name in one of them', () => {
    const names = ['index', 'workflow', 'runtime', 'testing', 'agents'].flatMap((entry) =>
      exportedBy(`src/${entry}.ts`),
    );
    expect(names).toEqual(expect.arrayContaining(['openRoom', 'accepts', 'WorkflowHost', 'explore', 'runAgent']));
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });
});

describe('the commands', () => {
  it('are two names of one program, one of them that of the package, so that npx finds it', () => {
    expect(pkg.bin).toEqual({ mailroom: 'dist/cli/mailroom.cjs', [pkg.name]: 'dist/cli/mailroom.cjs' });
  });

  // On the registry, `mailroom` belongs to somebody else, and `agent-mailroom` to nobody yet.
  it('are never fetched from a registry by printed or documented commands', () => {
    const places = ['src', 'machines', 'docs', 'fixtures'].flatMap((place) =>
      readdirSync(join(ROOT, place), { recursive: true, encoding: 'utf8' }).map((file) => join(place, file)),
    );
    const files = ['README.md', ...places.filter((file) => /\.(?:ts|mjs|cjs|md)$/.test(file))];
    const fetching = /npx (?:mailroom|tsx)\b|npm (?:install|i|exec)(?: --?\S+)* (?:agent-)?mailroom\b/;
    console.log(`${files.length} files looked through`);
    expect(files.filter((file) => fetching.test(text(file)))).toEqual([]);
  });
});

describe('the scripts', () => {
  // The command `tsx` kills a program that does not end within 60 ms after Ctrl-C, before its clean shutdown.
  it('run TypeScript with `node --import tsx`, never with the command `tsx`', () => {
    const lines = Object.values(pkg.scripts);
    expect(lines.filter((line) => line.includes('--import tsx')).length).toBeGreaterThan(1);
    expect(lines.filter((line) => /(?<!--import )\btsx\b/.test(line))).toEqual([]);
  });
});

describe('package-lock.json', () => {
  it('has hashes but no addresses, so that any registry works', () => {
    const lock = text('package-lock.json');
    expect(lock.match(/"resolved"|https?:\/\/\S*\.tgz/g) ?? []).toEqual([]);
    expect(lock).toContain('"integrity": "sha512-');
  });

  // With a registry that lacks other platforms' binaries, `npm install` omits them, and `npm ci` then refuses.
  it('has an entry for every optional dependency, so that `npm ci` accepts it on every platform', () => {
    const { packages }: { packages: Readonly<Record<string, Locked>> } = JSON.parse(text('package-lock.json'));
    const wanted = Object.values(packages).flatMap((locked) => Object.keys(locked.optionalDependencies ?? {}));
    const missing = wanted.filter(
      (name) => !Object.keys(packages).some((path) => path.endsWith(`node_modules/${name}`)),
    );
    console.log(`${wanted.length} optional dependencies looked up in the lock file`);
    expect(missing).toEqual([]);
  });
});

describe('the build', () => {
  it('creates every file that package.json exports', () => {
    const exported = filesIn(pkg.exports);
    expect(exported.length).toBeGreaterThan(0);
    expect(
      exported.filter((file) => !existsSync(join(ROOT, file))),
      BUILD_HINT,
    ).toEqual([]);
  });

  it('makes every command executable by Node, without a trace of ES modules', () => {
    for (const file of Object.values(pkg.bin)) {
      expect(existsSync(join(ROOT, file)), `${file} is missing; ${BUILD_HINT}`).toBe(true);
      accessSync(join(ROOT, file), constants.X_OK);
      expect(text(file)).toMatch(/^#!\/usr\/bin\/env node\n/);
      expect(text(file)).not.toContain('import.meta');
    }
  });

  it('creates a declaration next to every exported module', () => {
    expect(existsSync(join(ROOT, 'dist')), BUILD_HINT).toBe(true);
    const modules = filesIn(pkg.exports).filter((file) => file.endsWith('.js'));
    expect(modules.length).toBeGreaterThan(2);
    expect(modules.filter((file) => !existsSync(join(ROOT, file.replace(/\.js$/, '.d.ts'))))).toEqual([]);
  });

  it('gives machines one file and the errors to load, and no runtime', () => {
    const loaded = text('dist/workflow.js').matchAll(/\b(?:from|import) "([^"]+)"/g);
    expect(new Set(Array.from(loaded, ([, name]) => name))).toEqual(new Set(['./errors.js', 'xstate']));
  });

  it('throws errors of one class from every entry', async () => {
    const [{ InvalidInput }, { accepts }] = (await Promise.all(
      ['index.js', 'workflow.js'].map((file) => import(join(ROOT, 'dist', file))),
    )) as [typeof index, typeof workflow];
    expect(() => accepts({ 'no type': undefined as never })).toThrow(InvalidInput);
  });

  it('leaves few files to load, with the programs that they start next to them', () => {
    const modules = readdirSync(join(ROOT, 'dist')).filter((file) => file.endsWith('.js'));
    expect(modules).toEqual(expect.arrayContaining(['crash-child.js', 'run-wrapper.js', 'workflow.js']));
    expect(modules.length).toBeLessThan(30);
  });
});

function text(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** The names that a file of `export { … } from …` passes on. */
function exportedBy(path: string): string[] {
  return [...text(path).matchAll(/^export (?:type )?\{([^}]*)\}/gm)]
    .flatMap(([, names = '']) => names.split(','))
    .map((name) =>
      name
        .trim()
        .replace(/^type /, '')
        .replace(/^.* as /, ''),
    )
    .filter((name) => name !== '');
}

/** The paths at the leaves of an `exports` field. */
function filesIn(exported: unknown): string[] {
  if (typeof exported === 'string') return [exported];
  return Object.values(exported ?? {}).flatMap(filesIn);
}
