// Bundles every command of src/cli/entries as one CommonJS file: a process that prints one message must not
// resolve a hundred modules first.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);
const entries = path.join(root, 'src', 'cli', 'entries');
const pkg = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));

/** The entry that has to start fast. */
const LAUNCHED = 'mailroom';

/**
 * A shorter text is kept by V8 among what is short-lived (128 KiB, less a header) and brings on a garbage collection,
 * which costs more than to read some blanks.
 */
const SCRIPT_CHARS_MIN = 128 * 1024;

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
    entryPoints: names.filter((name) => name !== LAUNCHED).map((name) => path.join(entries, `${name}.ts`)),
    outdir,
    outExtension: { '.js': '.cjs' },
    charset: 'utf8',
    banner: { js: '#!/usr/bin/env node' },
  });
  await buildLaunched(outdir);
  for (const name of names) fs.chmodSync(path.join(outdir, `${name}.cjs`), 0o755);
  return names;
}

/**
 * Builds the command that is started for each message: a launcher, and beside it the script with its compiled code.
 * @param {string} outdir
 */
async function buildLaunched(outdir) {
  const { outputFiles, metafile } = await build({
    ...COMMON,
    entryPoints: [path.join(entries, `${LAUNCHED}.ts`)],
    outfile: path.join(outdir, `${LAUNCHED}.cjs`),
    charset: 'ascii',
    write: false,
    metafile: true,
  });
  const bundled = outputFiles[0]?.text ?? '';
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  // A script has no way to import by itself, so the launcher lends it its own.
  const dynamic = /\bimport\((?=")/g;
  const expected = imports.filter(({ kind }) => kind === 'dynamic-import').length;
  const found = bundled.match(dynamic)?.length ?? 0;
  if (found !== expected) throw new Error(`${found} dynamic imports in the text of ${LAUNCHED}, expected ${expected}`);
  const body = bundled.replaceAll(dynamic, 'load(').trimEnd().padEnd(SCRIPT_CHARS_MIN);
  const script = `(function(require,__dirname,load){${body}\n})`;
  const scriptPath = path.join(outdir, `${LAUNCHED}.compiled`);
  fs.writeFileSync(scriptPath, script, 'latin1');
  const compiled = spawnSync(process.execPath, [path.join(root, '.ci', 'compile.cjs'), scriptPath, outdir], {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  const isCompiled = compiled.status === 0;
  // It works without, some ms slower; whoever builds in a sandbox that cannot hold a room should still get a command.
  if (!isCompiled) console.error(`${LAUNCHED} was not compiled in advance: ${compiled.stderr}`);
  const header = `${process.version}-${process.platform}-${process.arch} ${script.length}\n`;
  const cache = isCompiled ? fs.readFileSync(`${scriptPath}.cache`) : Buffer.alloc(0);
  fs.writeFileSync(scriptPath, Buffer.concat([Buffer.from(header + script, 'latin1'), cache]));
  fs.rmSync(`${scriptPath}.cache`, { force: true });
  fs.copyFileSync(path.join(root, '.ci', 'launch.cjs'), path.join(outdir, `${LAUNCHED}.cjs`));
}
