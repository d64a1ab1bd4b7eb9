// Bundles every command of src/cli/entries as one CommonJS file: a process that prints one message must not
// resolve a hundred modules first.
import { build } from 'esbuild';
import fs from 'node:fs';
import path from 'node:path';
import { LAUNCHED, writeLaunched } from './write-launched.mjs';

const root = path.dirname(import.meta.dirname);
const entries = path.join(root, 'src', 'cli', 'entries');
const pkg = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));

/** No commands of their own. */
const LOADED = ['run', 'hook', 'hooked'];

/** One entry may load another one when it needs it: they lie side by side. */
const entriesLoadEachOther = {
  name: 'entries load each other',
  /** @param {import('esbuild').PluginBuild} plugged */
  setup(plugged) {
    plugged.onResolve({ filter: /^\.\/[a-z-]+\.ts$/ }, ({ path: file, resolveDir, kind }) =>
      kind === 'dynamic-import' && resolveDir === entries
        ? { path: file.replace(/\.ts$/, '.cjs'), external: true }
        : undefined,
    );
  },
};

/** @type {import('esbuild').BuildOptions} */
const COMMON = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  minify: true,
  // A machine and the runtime that runs it must share one copy of this package, too.
  external: [pkg.name, ...Object.keys(pkg.dependencies)],
  plugins: [entriesLoadEachOther],
  define: { MAILROOM_VERSION: JSON.stringify(pkg.version) },
  // import.meta is empty in CommonJS, so code that uses it would break only when run.
  logOverride: { 'empty-import-meta': 'error' },
  logLevel: 'warning',
};

/**
 * Bundles the commands into a directory, executable.
 * @param {string} outdir
 * @returns {Promise<string[]>} their names
 */
export async function buildCli(outdir) {
  const names = fs.readdirSync(entries).map((name) => path.basename(name, '.ts'));
  await build({
    ...COMMON,
    entryPoints: names.filter((name) => !LAUNCHED.includes(name)).map((name) => path.join(entries, `${name}.ts`)),
    outdir,
    outExtension: { '.js': '.cjs' },
    charset: 'utf8',
    banner: { js: '#!/usr/bin/env node' },
  });
  const scripts = LAUNCHED.map(async (name) => ({ name, text: await bundleScript(path.join(entries, `${name}.ts`)) }));
  writeLaunched(await Promise.all(scripts), outdir);
  // Some are only loaded by the others.
  for (const name of names) if (!LOADED.includes(name)) fs.chmodSync(path.join(outdir, `${name}.cjs`), 0o755);
  return names;
}

/**
 * The text of a script that `launch.cjs` starts.
 * @param {string} entry
 */
async function bundleScript(entry) {
  const { outputFiles, metafile } = await build({
    ...COMMON,
    entryPoints: [entry],
    outfile: 'script.cjs',
    charset: 'ascii',
    define: { ...COMMON.define, 'import.meta.url': 'libraryUrl' },
    write: false,
    metafile: true,
  });
  const bundled = outputFiles[0]?.text ?? '';
  const named = Object.values(metafile.outputs).flatMap((output) => output.imports);
  // A script has no way to import by itself, so the launcher lends it its own.
  const dynamic = /\bimport\(/g;
  const unnamed = Object.keys(metafile.inputs).filter((file) => file.endsWith('/import-module.ts'));
  const expected = named.filter(({ kind }) => kind === 'dynamic-import').length + unnamed.length;
  const found = bundled.match(dynamic)?.length ?? 0;
  if (found !== expected) throw new Error(`${found} dynamic imports in the text of ${entry}, expected ${expected}`);
  return bundled.replaceAll(dynamic, 'load(');
}
