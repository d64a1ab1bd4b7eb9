// Bundles every command of src/cli/entries as one script, which `launch.cjs` starts: a process that prints one message must not
// resolve a hundred modules first.
import { build, transform } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);
const entries = path.join(root, 'src', 'cli', 'entries');
const pkg = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));

/** What is started as a program or imported by name. The other scripts are started by these. */
const PROGRAMS = ['mailroom', 'nudge', 'rest'];
/**
 * A shorter text is kept by V8 among what is short-lived (128 KiB, less a header) and brings on a garbage collection,
 * which costs more than to read some blanks.
 */
const SCRIPT_CHARS_MIN = 128 * 1024;
const HASH_CHARS = 16;

/** One entry may load another one when it needs it: they lie side by side. */
const entriesLoadEachOther = {
  name: 'entries load each other',
  /** @param {import('esbuild').PluginBuild} plugged */
  setup(plugged) {
    plugged.onResolve({ filter: /^\.\/[a-z-]+\.ts$/ }, ({ path: file, resolveDir, kind }) =>
      kind === 'dynamic-import' && resolveDir === entries
        ? { path: file.replace(/\.ts$/, ''), external: true }
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
  charset: 'ascii',
  // A machine and the runtime that runs it must share one copy of this package, too.
  external: [pkg.name, ...Object.keys(pkg.imports ?? {}), ...Object.keys(pkg.dependencies)],
  plugins: [entriesLoadEachOther],
  // What is bundled for the library looks for its programs beside itself, and there they lie.
  define: { MAILROOM_VERSION: JSON.stringify(pkg.version), 'import.meta.url': 'libraryUrl' },
  write: false,
  metafile: true,
  logLevel: 'warning',
};

/**
 * Bundles the commands into a directory, executable.
 * @param {string} outdir
 * @returns {Promise<string[]>} their names
 */
export async function buildCli(outdir) {
  const names = fs.readdirSync(entries).map((name) => path.basename(name, '.ts'));
  fs.mkdirSync(outdir, { recursive: true });
  const overview = JSON.stringify(await helpText());
  const write = async (/** @type {string} */ name) => {
    const text = await bundleScript(path.join(entries, `${name}.ts`), { MAILROOM_HELP: overview });
    const script = wrap(text);
    // The launcher keeps what V8 compiles of it under this hash.
    const hash = createHash('sha256').update(script).digest('hex').slice(0, HASH_CHARS);
    fs.writeFileSync(path.join(outdir, `${name}.script`), `//${hash}\n${script}`, 'latin1');
  };
  await Promise.all(names.map(write));
  const launcher = fs.readFileSync(path.join(root, '.ci', 'launch.cjs'), 'utf8');
  // It is compiled at each start.
  const { code } = await transform(launcher, { minify: true, target: 'node14', format: 'cjs' });
  for (const name of PROGRAMS) fs.writeFileSync(path.join(outdir, `${name}.cjs`), code, { mode: 0o755 });
  const keeper = fs.readFileSync(path.join(root, '.ci', 'keep.cjs'), 'utf8');
  fs.writeFileSync(
    path.join(outdir, 'keep.cjs'),
    (await transform(keeper, { minify: true, target: 'node20', format: 'cjs' })).code,
  );
  return names;
}

/**
 * The text of a script.
 * @param {string} entry
 * @param {Record<string, string>} define
 */
async function bundleScript(entry, define) {
  const { outputFiles, metafile } = await build({
    ...COMMON,
    entryPoints: [entry],
    outfile: 'script.cjs',
    define: { ...COMMON.define, ...define },
  });
  const bundled = outputFiles?.[0]?.text ?? '';
  const named = Object.values(metafile?.outputs ?? {}).flatMap((output) => output.imports);
  // A script has no way to import by itself, so the launcher lends it its own, under a name that no source has.
  const dynamic = /\bimport\(/g;
  const unnamed = Object.keys(metafile?.inputs ?? {}).filter((file) => file.endsWith('/load-typescript.ts'));
  const expected = named.filter(({ kind }) => kind === 'dynamic-import').length + unnamed.length;
  const found = bundled.match(dynamic)?.length ?? 0;
  if (found !== expected) throw new Error(`${found} dynamic imports in the text of ${entry}, expected ${expected}`);
  return bundled.replaceAll(dynamic, '__load(');
}

/**
 * A function that is given what a module has in CommonJS, and the launcher's way of loading.
 * @param {string} text
 */
function wrap(text) {
  const url = text.includes('libraryUrl')
    ? 'const libraryUrl=require("node:url").pathToFileURL(__dirname+"/../index.js").href;'
    : '';
  return `(function(require,module,__dirname,__load){"use strict";${url}${text.trimEnd().padEnd(SCRIPT_CHARS_MIN)}\n})`;
}

/** What `mailroom help` prints, which is made of all commands: a program that prints it need not load them. */
async function helpText() {
  const contents = `import { overview } from './help-text.ts';
import { createCommands } from './command-table.ts';
process.stdout.write(overview(createCommands(() => Promise.reject(new Error('nothing is run here')))));`;
  const { outputFiles } = await build({
    ...COMMON,
    stdin: { contents, resolveDir: path.dirname(entries), loader: 'ts' },
  });
  const program = outputFiles?.[0]?.text ?? '';
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-'], {
    cwd: root,
    input: program,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the text of help could not be made: ${stderr}`);
  return stdout;
}
