// Builds into a directory of its own and then replaces the files of dist/ one by one, each by a rename: whoever is
// running what was built before, such as a test beside this build, never finds a file missing or half written.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { buildCli } from './build-cli.mjs';

const root = path.dirname(import.meta.dirname);
const dist = path.join(root, 'dist');
const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');

const staged = fs.mkdtempSync(path.join(root, '.build-'));
try {
  const library = spawnSync(process.execPath, [tsc, '-p', 'src/tsconfig.json', '--outDir', staged], {
    cwd: root,
    stdio: 'inherit',
  });
  const commands = await buildCli(path.join(staged, 'cli'));
  const built = filesBelow(staged);
  replace(built);
  console.log(`built ${built.length} files into dist/, ${commands.length} of them commands`);
  if (library.status !== 0) {
    console.error('the library has type errors, so what was built must not be released');
    process.exitCode = 1;
  }
} finally {
  fs.rmSync(staged, { recursive: true });
}

/** @param {string[]} built */
function replace(built) {
  for (const file of built) {
    const target = path.join(dist, file);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.renameSync(path.join(staged, file), target);
  }
  for (const file of filesBelow(dist)) {
    if (!built.includes(file)) fs.rmSync(path.join(dist, file), { force: true });
  }
}

/** @param {string} directory */
function filesBelow(directory) {
  const entries = fs.readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)));
}
