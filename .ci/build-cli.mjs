// Bundles every command of src/cli/entries as one CommonJS file: a process that prints one message must not
// resolve a hundred modules first.
import { build } from 'esbuild';
import fs from 'node:fs';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);
const entries = path.join(root, 'src', 'cli', 'entries');
const pkg = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));

/** One entry may load another one when it needs it: they lie side by side. */
const entriesLoadEachOther = {
  name: 'entries load each other',
  /** @param {import('esbuild').PluginBuild} build */
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/[a-z-]+\.ts$/ }, ({ path: file, resolveDir, kind }) =>
      kind === 'dynamic-import' && resolveDir === entries
        ? { path: file.replace(/\.ts$/, '.cjs'), external: true }
        : undefined,
    );
  },
};

/**
 * Bundles the commands into a directory, executable.
 * @param {string} outdir
 * @returns {Promise<string[]>} their names
 */
export async function buildCli(outdir) {
  const sources = fs.existsSync(entries) ? fs.readdirSync(entries).filter((name) => name.endsWith('.ts')) : [];
  if (sources.length === 0) return [];
  await build({
    entryPoints: sources.map((name) => path.join(entries, name)),
    outdir,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    minify: true,
    charset: 'utf8',
    banner: { js: '#!/usr/bin/env node' },
    // A machine and the runtime that runs it must share one copy of this package, too.
    external: [pkg.name, ...Object.keys(pkg.dependencies)],
    plugins: [entriesLoadEachOther],
    define: { MAILROOM_VERSION: JSON.stringify(pkg.version) },
    // import.meta is empty in CommonJS, so code that uses it would break only when run.
    logOverride: { 'empty-import-meta': 'error' },
    logLevel: 'warning',
  });
  const names = sources.map((name) => path.basename(name, '.ts'));
  for (const name of names) fs.chmodSync(path.join(outdir, `${name}.cjs`), 0o755);
  return names;
}
