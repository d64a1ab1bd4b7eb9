// Compiles the machines that ship, and the program of the team: whoever installs them has a Node that runs no TypeScript, or
// none below node_modules. What they share is in chunks beside them.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { writeDeclarations } from './build-declarations.mjs';

const root = path.dirname(import.meta.dirname);
const pkg = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
/** What node is started with, and what the command `mailroom team` imports. */
const PROGRAMS = ['team/main', 'team/member', 'team/command'];

const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');

const RUNS = 'runIfMain(import.meta.url);';

/**
 * A machine that another one imports is moved to a chunk, whose URL is never that of the program. So its entry is a module that
 * exports the machine and asks instead.
 * @type {import('esbuild').Plugin}
 */
const entriesAskWhetherTheyRun = {
  name: 'entries ask whether they run',
  setup(plugged) {
    const machines = path.join(root, 'machines');
    plugged.onResolve({ filter: /^machine:/ }, ({ path: name }) => ({ path: name.slice(8), namespace: 'machine' }));
    plugged.onLoad({ filter: /.*/, namespace: 'machine' }, ({ path: name }) => ({
      contents: `import { runIfMain } from '${pkg.name}/workflow';\nexport * from './${name}.ts';\n${RUNS}\n`,
      resolveDir: machines,
    }));
    plugged.onLoad({ filter: /[\\/]machines[\\/][^\\/]+\.ts$/ }, ({ path: file }) => ({
      contents: fs.readFileSync(file, 'utf8').replace(RUNS, ''),
      loader: 'ts',
    }));
  },
};

/**
 * Resolves with whether their types are right.
 * @param {{ staged: string, library: string, outdir: string }} places `library`: the declarations of what machines import
 */
export async function buildMachines({ staged, library, outdir }) {
  const config = path.join(staged, 'tsconfig.machines.json');
  const out = path.join(staged, 'machines');
  const declared = path.relative(staged, library);
  const names = machineNames();
  fs.writeFileSync(
    config,
    JSON.stringify({
      extends: '../tsconfig.json',
      compilerOptions: {
        noEmit: false,
        // What was built before may lie in dist, or nothing.
        paths: {
          'agent-mailroom': [`./${declared}/index.d.ts`],
          'agent-mailroom/*': [`./${declared}/*.d.ts`],
        },
        rootDir: '../machines',
        outDir: './machines',
        declaration: true,
        declarationMap: true,
        emitDeclarationOnly: true,
      },
      include: ['../machines'],
    }),
  );
  const { status } = spawnSync(process.execPath, [tsc, '-p', config], { cwd: root, stdio: ['ignore', 2, 2] });
  writeDeclarations({ from: out, to: outdir, entries: names, sources: '../../machines' });
  await build({
    entryPoints: Object.fromEntries([
      ...names.map((name) => [name, `machine:${name}`]),
      ...PROGRAMS.map((name) => [name, path.join(root, 'machines', `${name}.ts`)]),
    ]),
    plugins: [entriesAskWhetherTheyRun],
    outdir,
    chunkNames: 'shared-[hash]',
    splitting: true,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    external: [pkg.name, ...Object.keys(pkg.dependencies)],
    charset: 'utf8',
    logLevel: 'warning',
  });
  return status === 0;
}

/** Those that can be imported. */
function machineNames() {
  const entries = Object.keys(pkg.exports).filter((entry) => entry.startsWith('./machines/'));
  return entries.map((entry) => path.basename(entry));
}
