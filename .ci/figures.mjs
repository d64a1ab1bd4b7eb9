// Prints the figures of a checkout that say how easy it is to find one's way in it:
//
//   npm run figures                     of this checkout, as text with the names behind each count
//   npm run figures -- --json           the same as JSON
//   npm run figures -- --at <commit>    of that commit beside this checkout, as a Markdown table
//
// `--at` unpacks the commit into a temporary directory, links node_modules there and builds it. `--no-visits` leaves out
// what needs a build. The sources are those on the disk, committed or not.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ambiguousTypes, longFunctions } from '../test/project/declarations.ts';
import { crumbs, linesOf, longFiles } from '../test/project/file-rules.ts';
import { cycles } from '../test/project/import-rules.ts';

const root = path.dirname(import.meta.dirname);
const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    at: { type: 'string' },
    'no-visits': { type: 'boolean', default: false },
  },
});

const now = figuresOf(root);
const before = options.at === undefined ? undefined : figuresAt(options.at);
if (options.json) console.log(JSON.stringify(before ? { [String(options.at)]: before, now } : now, undefined, 2));
else if (before) console.log(tableOf(before, now));
else console.log(textOf(now));

/**
 * @typedef {{ count: number, names?: readonly string[] }} Figure
 * @typedef {Record<string, Figure>} Figures
 */

/**
 * @param {string} tree
 * @returns {Figures}
 */
function figuresOf(tree) {
  const sources = readSources(tree, ['src', 'machines']);
  const tests = readSources(tree, ['test']);
  const src = below(sources, 'src');
  const machines = below(sources, 'machines');
  return {
    'files of src and machines': { count: sources.size },
    'lines of src and machines': { count: sum([...sources.values()].map(linesOf)) },
    'short files whose one importer is in their folder': listed([...crumbs(sources)].map((pair) => pair.join(' <- '))),
    'long files': listed(longFiles(sources)),
    'import cycles in src': listed(cycles(src)),
    'import cycles in machines': listed(cycles(machines)),
    'import cycles in test': listed(cycles(tests)),
    'long functions': listed(longFunctions(sources)),
    'type names with several declarations in src': listed(ambiguousTypes(src)),
    'type names with several declarations in machines': listed(ambiguousTypes(machines)),
    'type names with several declarations in both': listed(ambiguousTypes(sources)),
    ...(options['no-visits'] ? {} : visitsIn(tree)),
  };
}

/** @param {string} commit */
function figuresAt(commit) {
  const tree = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-figures-'));
  try {
    const archive = execFileSync('git', ['archive', '--format=tar', commit], { cwd: root, maxBuffer: 2 ** 30 });
    execFileSync('tar', ['-x', '-C', tree], { input: archive });
    fs.symlinkSync(path.join(root, 'node_modules'), path.join(tree, 'node_modules'));
    return figuresOf(tree);
  } finally {
    fs.rmSync(tree, { recursive: true, force: true });
  }
}

/**
 * Builds a tree and counts the modules that one steady send, and one send with the step and the reply of a workflow, run
 * code of: `visited-files.mjs` says what counts.
 * @param {string} tree
 * @returns {Figures}
 */
function visitsIn(tree) {
  execFileSync(process.execPath, ['.ci/build.mjs'], { cwd: tree, stdio: ['ignore', 2, 2] });
  const visits = path.join(import.meta.dirname, 'visited-files.mjs');
  const { send, exchange } = JSON.parse(execFileSync(process.execPath, [visits, tree], { encoding: 'utf8' }));
  return { 'files visited by a send': listed(send), 'files visited by send, step and reply': listed(exchange) };
}

/**
 * The text of each TypeScript file by its path below the tree, with forward slashes.
 * @param {string} tree
 * @param {readonly string[]} folders
 * @returns {Map<string, string>}
 */
function readSources(tree, folders) {
  const sources = new Map();
  for (const folder of folders) {
    const entries = fs.readdirSync(path.join(tree, folder), { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
      const file = path.join(entry.parentPath, entry.name);
      sources.set(path.relative(tree, file).split(path.sep).join('/'), fs.readFileSync(file, 'utf8'));
    }
  }
  return new Map([...sources].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * @param {ReadonlyMap<string, string>} sources
 * @param {string} folder
 */
function below(sources, folder) {
  return new Map([...sources].filter(([name]) => name.startsWith(`${folder}/`)));
}

/** @param {readonly number[]} numbers */
function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

/**
 * @param {readonly string[]} names
 * @returns {Figure}
 */
function listed(names) {
  return { count: names.length, names };
}

/** @param {Figures} figures */
function textOf(figures) {
  return Object.entries(figures)
    .flatMap(([title, { count, names = [] }]) => [`${count} ${title}`, ...names.map((name) => `    ${name}`)])
    .join('\n');
}

/**
 * @param {Figures} earlier
 * @param {Figures} later
 */
function tableOf(earlier, later) {
  const rows = Object.keys(later).map((title) => {
    const from = earlier[title]?.count ?? 0;
    const to = later[title]?.count ?? 0;
    return `| ${title} | ${from} | ${to} | ${from === 0 ? '' : `${(((to - from) / from) * 100).toFixed(1)} %`} |`;
  });
  return [`| figure | ${options.at} | this checkout | change |`, '| --- | ---: | ---: | ---: |', ...rows].join('\n');
}
