// Builds dist/, which is released: the bundled library with its declarations, the commands, and the machines that ship; and build/, the same
// sources module by module, and workflows of the fixtures, for programs of the tests. Each is built into a directory of its
// own, then its files are replaced one by one, by a rename: whoever is running what was built before, such as a test beside
// this build, never finds a file missing or half written.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { buildCli } from './build-cli.mjs';
import { writeDeclarations } from './build-declarations.mjs';
import { buildFixtures, buildLibrary } from './build-library.mjs';
import { buildMachines } from './build-machines.mjs';
import { copyThirdParty } from './copy-third-party.mjs';

const root = path.dirname(import.meta.dirname);
const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');

/** What users import. */
const ENTRIES = ['index', 'workflow', 'runtime', 'agents', 'testing'];

const staged = fs.mkdtempSync(path.join(root, '.build-'));
const modules = path.join(staged, 'modules');
const released = path.join(staged, 'released');
try {
  const compiled = spawnSync(process.execPath, [tsc, '-p', 'src/tsconfig.json', '--outDir', modules], {
    cwd: root,
    // What `npm pack --json` and others print must be alone on stdout.
    stdio: ['ignore', 2, 2],
  });
  const declared = writeDeclarations({ from: modules, to: released, entries: ENTRIES, sources: './src' });
  for (const name of declared) copySource(`${name}.ts`);
  await buildLibrary(released);
  await buildFixtures(path.join(modules, 'fixtures'));
  const areMachinesRight = await buildMachines({ staged, library: modules, outdir: path.join(released, 'machines') });
  copyThirdParty(path.join(released, 'third-party'));
  const commands = await buildCli(path.join(released, 'cli'));
  replace(modules, path.join(root, 'build'));
  const built = replace(released, path.join(root, 'dist'));
  console.error(`built ${built} files into dist/, ${commands.length} of them commands`);
  if (compiled.status !== 0 || !areMachinesRight) {
    console.error('the library or a machine has type errors, so what was built must not be released');
    process.exitCode = 1;
  }
} finally {
  fs.rmSync(staged, { recursive: true });
}

/** @param {string} file */
function copySource(file) {
  const to = path.join(released, 'src', file);
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.copyFileSync(path.join(root, 'src', file), to);
}

/**
 * Puts the files of one directory in place of those of another, and returns how many.
 * @param {string} from
 * @param {string} to
 */
function replace(from, to) {
  const built = filesBelow(from);
  for (const file of built) move(from, to, file);
  for (const file of fs.existsSync(to) ? filesBelow(to) : []) {
    if (!built.includes(file)) fs.rmSync(path.join(to, file), { force: true });
  }
  return built.length;
}

/**
 * @param {string} from
 * @param {string} to
 * @param {string} file
 */
function move(from, to, file) {
  fs.mkdirSync(path.dirname(path.join(to, file)), { recursive: true });
  fs.renameSync(path.join(from, file), path.join(to, file));
}

/** @param {string} directory */
function filesBelow(directory) {
  const entries = fs.readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)));
}
