// Bundles the library: its entries, and the programs that it starts, with what they share in chunks beside them. Loading
// four files instead of a hundred and sixty takes less than half as long, in every process that runs a workflow. What
// machines import is one file and the errors, because each file that a machine waits for takes half a ms more.
import { build } from 'esbuild';
import fs from 'node:fs';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);
const pkg = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));

/** Source by the name in dist. */
const ENTRIES = {
  index: 'index.ts',
  runtime: 'runtime.ts',
  agents: 'agents.ts',
  testing: 'testing.ts',
  // Found beside the chunks that start them.
  'run-wrapper': 'jobs/run-wrapper.ts',
  'crash-child': 'testing/crash/child.ts',
};

/** Workflows that tests start many hundred times: with what they use of zod in them, which takes half of their start to load whole. */
const STARTED_OFTEN = ['train.mjs', 'stage.mjs'];

/** @param {string} outdir */
export async function buildFixtures(outdir) {
  await build({
    entryPoints: STARTED_OFTEN.map((name) => path.join(root, 'fixtures', 'workflows', name)),
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    external: [pkg.name, 'xstate'],
    charset: 'utf8',
    logLevel: 'warning',
  });
}

/** What the files of machines import. It marks what it makes by global symbols, so the runtime need not share its copy. */
const OF_MACHINES = 'workflow.ts';
/** A file of its own, so that an error is of one class in all entries. */
const ERRORS = 'errors.ts';

/** @type {import('esbuild').Plugin} */
const errorsAreShared = {
  name: 'errors are shared',
  setup(plugged) {
    plugged.onResolve({ filter: /\/errors\.ts$/ }, ({ kind }) =>
      kind === 'entry-point' ? undefined : { path: './errors.js', external: true },
    );
  },
};

/** @type {import('esbuild').BuildOptions} */
const LIBRARY = {
  entryNames: '[name]',
  chunkNames: 'shared-[hash]',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  // A machine and the runtime that runs it must share one copy of xstate, and users' errors are read in these files.
  external: Object.keys({ ...pkg.imports, ...pkg.dependencies, ...pkg.peerDependencies }),
  plugins: [errorsAreShared],
  charset: 'utf8',
  logLevel: 'warning',
};

/** @param {string} outdir */
export async function buildLibrary(outdir) {
  const pathOf = (/** @type {string} */ entry) => path.join(root, 'src', entry);
  const named = Object.entries(ENTRIES).map(([out, entry]) => ({ in: pathOf(entry), out }));
  await build({ ...LIBRARY, entryPoints: named, outdir, splitting: true });
  await build({ ...LIBRARY, entryPoints: [pathOf(OF_MACHINES), pathOf(ERRORS)], outdir });
}
