// Bundles the library: its entries, and the programs that it starts, with what they share in chunks beside them. Loading
// four files instead of a hundred and sixty takes less than half as long, in every process that runs a workflow.
import { build } from 'esbuild';
import fs from 'node:fs';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);
const pkg = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));

const ENTRIES = [
  'index.ts',
  'workflow.ts',
  'agents.ts',
  'testing.ts',
  'agents.ts',
  // Found beside the chunks that start them.
  'jobs/run-wrapper.ts',
  'testing/crash-child.ts',
];

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

/** @param {string} outdir */
export async function buildLibrary(outdir) {
  await build({
    entryPoints: ENTRIES.map((entry) => path.join(root, 'src', entry)),
    outdir,
    entryNames: '[name]',
    chunkNames: 'shared-[hash]',
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    // A machine and the runtime that runs it must share one copy of xstate, and users' errors are read in these files.
    external: Object.keys({ ...pkg.dependencies, ...pkg.peerDependencies }),
    charset: 'utf8',
    logLevel: 'warning',
  });
}
