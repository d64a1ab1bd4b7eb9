// Writes docs/api from the docstrings of what the five entries export: `npm run write:docs`. With --check it writes nothing,
// and fails where docs/api is not what would be written, or an export or a member of one has no docstring:
// `npm run check:docs`. TypeDoc and the compiler that it needs lie in a package of their own in this folder.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const own = import.meta.dirname;
const root = path.dirname(path.dirname(own));
const reference = path.join(root, 'docs', 'api');
const typedoc = path.join(own, 'node_modules', 'typedoc', 'bin', 'typedoc');

const { values: options } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const staged = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-api-'));
try {
  install();
  if (generate(staged)) {
    if (options.check) check();
    else replace();
  } else {
    console.error('Give each export and member named above a docstring in src.');
    process.exitCode = 1;
  }
} finally {
  fs.rmSync(staged, { recursive: true });
}

/** Fetches TypeDoc, unless its versions are there already. */
function install() {
  const { dependencies } = JSON.parse(fs.readFileSync(path.join(own, 'package.json'), 'utf8'));
  if (Object.entries(dependencies).every(([name, version]) => versionOf(name) === version)) return;
  console.error('installing TypeDoc into .ci/docs/node_modules');
  // On Windows npm is a script, which only a shell starts.
  const shell = process.platform === 'win32';
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: own,
    stdio: ['ignore', 2, 2],
    shell,
  });
}

/** @param {string} name */
function versionOf(name) {
  const file = path.join(own, 'node_modules', name, 'package.json');
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')).version : undefined;
}

/**
 * Whether it found nothing to complain about.
 * @param {string} to
 */
function generate(to) {
  try {
    const args = [typedoc, '--options', path.join(own, 'typedoc.json'), '--out', to, '--logLevel', 'Warn'];
    execFileSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });
    return true;
  } catch {
    return false;
  }
}

function check() {
  const differences = [...new Set([...filesBelow(staged), ...filesBelow(reference)])].flatMap(differenceIn);
  if (differences.length === 0) return;
  console.error(
    `docs/api is not what the docstrings say:\n${differences.join('\n')}\nWrite it again: npm run write:docs`,
  );
  process.exitCode = 1;
}

/**
 * The first line of a file that is another one.
 * @param {string} file
 */
function differenceIn(file) {
  const [wanted, found] = [staged, reference].map((directory) => linesOf(path.join(directory, file)));
  if (!wanted) return [`docs/api/${file} is not written any more`];
  if (!found) return [`docs/api/${file} is missing`];
  const at = wanted.findIndex((line, index) => line !== found[index]);
  if (at === -1 && wanted.length === found.length) return [];
  const line = at === -1 ? wanted.length : at;
  return [`docs/api/${file}:${line + 1}`, `  is:        ${found[line] ?? ''}`, `  should be: ${wanted[line] ?? ''}`];
}

function replace() {
  fs.rmSync(reference, { recursive: true, force: true });
  fs.cpSync(staged, reference, { recursive: true });
  console.log(`wrote ${filesBelow(reference).length} files into docs/api`);
}

/** @param {string} directory */
function filesBelow(directory) {
  if (!fs.existsSync(directory)) return [];
  const entries = fs.readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)));
}

/** @param {string} file */
function linesOf(file) {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n') : undefined;
}
