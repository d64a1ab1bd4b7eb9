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
