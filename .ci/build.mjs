// Builds dist/, which is released: the bundled library with its declarations, and the commands; and build/, the same
// sources module by module, and workflows of the fixtures, for programs of the tests. Each is built into a directory of its
// own, then its files are replaced one by one, by a rename: whoever is running what was built before, such as a test beside
// this build, never finds a file missing or half written.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { buildCli } from './build-cli.mjs';
import { buildFixtures, buildLibrary } from './build-library.mjs';

const root = path.dirname(import.meta.dirname);
const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');

const staged = fs.mkdtempSync(path.join(root, '.build-'));
const modules = path.join(staged, 'modules');
const released = path.join(staged, 'released');
try {
  const compiled = spawnSync(process.execPath, [tsc, '-p', 'src/tsconfig.json', '--outDir', modules], {
    cwd: root,
    stdio: 'inherit',
  });
  for (const file of filesBelow(modules).filter((one) => one.endsWith('.d.ts'))) move(modules, released, file);
  await buildLibrary(released);
  await buildFixtures(path.join(modules, 'fixtures'));
  const commands = await buildCli(path.join(released, 'cli'));
  replace(modules, path.join(root, 'build'));
  const built = replace(released, path.join(root, 'dist'));
  console.log(`built ${built} files into dist/, ${commands.length} of them commands`);
  if (compiled.status !== 0) {
    console.error('the library has type errors, so what was built must not be released');
    process.exitCode = 1;
  }
} finally {
  fs.rmSync(staged, { recursive: true });
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
