#!/usr/bin/env node
// Starts one of the scripts that lie beside this file. A module that is loaded as usual would be compiled each time, and a
// command is run once for each message; so what V8 has compiled of a script is kept in the user's cache folder when a command
// has run for the first time, and taken from there the next time.
'use strict';

/** What `engines` in package.json says. Node 21 and the first of 22 have no `process.getBuiltinModule`. */
const NODE_MIN = [
  [20, 19],
  [22, 3],
];

/**
 * Whether this Node can run what lies beside this file. Until that is known the file must not use any syntax or module that an
 * old Node does not know: whoever has one is to read which is needed, and no part of a program.
 */
function isNodeNewEnough() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [oldest, next] = NODE_MIN;
  return (major === oldest[0] && minor >= oldest[1]) || (major === next[0] && minor >= next[1]) || major > next[0];
}

/** The commands of the script `mailroom`, each of which leaves another part of it compiled. */
const MAIL = ['ack', 'broadcast', 'inbox', 'read', 'release', 'renew', 'reply', 'send', 'status', 'whoami'];
/** Commands with a script of their own. */
const OWN = ['run', 'hook'];
/** What is asked about Mailroom itself. */
const ABOUT = ['help', '--help', '-h', '--version', '-v', '-V'];

/** Commands that import files of machines, and what these import. */
const WITH_MACHINES = ['run', 'graph', 'replay', 'inspect'];

/** The folder in the cache folder that Node fills. */
const MODULES = 'modules';
/** The first Node that keeps by itself what is left of a module without its types. */
const KEEPS_STRIPPED_SINCE = 24;
const CODE_BYTES_MAX = 8 * 1024 * 1024;
/** One process of so many, at random, looks whether it had to compile more than was kept, as when the first one found no mail. */
const LOOKS_AGAIN_EVERY = 16;
/** By how much code must have grown to be kept anew. */
const GROWN_BY = 1.02;

/**
 * Which part of its scripts this process runs: the word that names its command. The words of another program, which imports one, mean
 * nothing here, and what is no command comes to no good end, so nothing is kept of it.
 */
let use = 'other';

/** Scripts of which this process has started one. */
const started = new Map();

/**
 * Starts the script of this name, once for a process. Returns what it exports.
 * @param {string} name
 * @param {string} part which part of it will be run: what another has compiled is of no help
 */
function start(name, part, module = { exports: {} }) {
  const before = started.get(name);
  if (before) return before.exports;
  started.set(name, module);
  const fs = builtin('node:fs');
  const { Script } = builtin('node:vm');
  const filename = `${__dirname}/${name}.script`;
  const fd = fs.openSync(filename, 'r');
  const { size, mtimeMs } = fs.fstatSync(fd);
  const bytes = Buffer.allocUnsafeSlow(size);
  fs.readSync(fd, bytes, 0, size, 0);
  fs.closeSync(fd);
  const text = bytes.latin1Slice();
  // The script begins with its hash. Somebody who patches it does not change that, but its time.
  const version = `${text.slice(2, 18)}-${mtimeMs}-${process.version}-${process.platform}-${process.arch}${flags()}`;
  const file = cacheFile(fs, `${name}-${part}-${version}`);
  const cachedData = file === undefined ? undefined : readCode(fs, file);
  const script = new Script(text, { filename, cachedData });
  script.runInThisContext()(requireFast, module, __dirname, load);
  const known = cachedData && !script.cachedDataRejected ? cachedData.length : 0;
  if (file !== undefined && (known === 0 || Math.random() * LOOKS_AGAIN_EVERY < 1)) {
    process.once(
      'exit',
      (code) => code === 0 && keeping(({ keepCode }) => keepCode(PLACE, file, script, known * GROWN_BY)),
    );
  }
  return module.exports;
}

/**
 * What `require` gives, sooner: each file of the sources asks for what it imports, and a builtin needs no look for a file.
 * @param {string} name
 */
function requireFast(name) {
  return name.startsWith('node:') ? builtin(name) : require(name);
}

/** @param {string} name */
function builtin(name) {
  return process.getBuiltinModule(name);
}

/** What tells processes with flags apart, of which V8 refuses each other's code: a hash (FNV-1a) of what Node was started with. */
function flags() {
  if (isPlain()) return '';
  let hash = 0x811c9dc5;
  for (const char of [...process.execArgv, process.env['NODE_OPTIONS'] || ''].join('\n')) {
    hash = Math.imul(hash ^ (char.codePointAt(0) || 0), 0x01000193) >>> 0;
  }
  return `-${hash.toString(16)}`;
}

/**
 * Has Node keep what it makes of the modules that are imported, types stripped, in the same folder: Node 22.1 and later can. It
 * checks what it keeps by itself, and the folder is checked as for the scripts; Node is not left to make it.
 */
function keepModules() {
  const fs = builtin('node:fs');
  const { enableCompileCache } = builtin('node:module');
  const directory = enableCompileCache && isPlain() ? cacheFile(fs, MODULES) : undefined;
  if (directory !== undefined && fs.existsSync(directory.slice(0, -MODULES.length))) enableCompileCache(directory);
}

/** What the file that keeps things is told of the cache folder. */
const PLACE = {
  fileOf: (/** @type {string} */ name) => cacheFile(builtin('node:fs'), name),
  read: (/** @type {string} */ file) => readCode(builtin('node:fs'), file),
  isOurs,
};

/**
 * Nothing depends on what is kept, so where that file is missing nothing is.
 * @param {(keep: typeof import('./keep.cjs')) => void} work
 */
function keeping(work) {
  let loaded;
  try {
    loaded = require('./keep.cjs');
  } catch {
    return;
  }
  work(loaded);
}

/** Whether nobody else has a hand in how this process runs. */
function isPlain() {
  return process.execArgv.length === 0 && !process.env['NODE_OPTIONS'];
}

/**
 * Where the code of that name is kept; undefined for nowhere. Code that is taken from a file can do what this process can, so the
 * folder must be one that nobody but this user can write to or has made.
 * @param {typeof import('node:fs')} fs
 * @param {string} name
 */
function cacheFile(fs, name) {
  const { env, platform, versions, getuid, geteuid } = process;
  // There the modes of files say nothing.
  if (!getuid || !geteuid || platform === 'win32' || env['NODE_DISABLE_COMPILE_CACHE']) return undefined;
  // Whose code is another engine's, or which call themselves Node of a version.
  if (versions['bun'] || versions['deno']) return undefined;
  if (getuid() !== geteuid()) return undefined;
  const home = env['HOME'] || '';
  const named = env['XDG_CACHE_HOME'] || '';
  const parent = named[0] === '/' ? named : `${home}/${platform === 'darwin' ? 'Library/Caches' : '.cache'}`;
  if (parent[0] !== '/' || (named[0] !== '/' && home === '')) return undefined;
  const directory = `${parent}/agent-mailroom`;
  try {
    const facts = fs.lstatSync(directory, { throwIfNoEntry: false });
    return facts && !(facts.isDirectory() && isOurs(facts, 0o700)) ? undefined : `${directory}/${name}`;
  } catch {
    // Nothing can be there: a file lies on the way, or a folder that this process may not search.
    return undefined;
  }
}

/**
 * @param {import('node:fs').Stats} facts
 * @param {number} expected the permissions
 */
function isOurs({ uid, mode }, expected) {
  return uid === process.getuid() && (mode & 0o777) === expected;
}

/**
 * The code in a file; undefined where there is none, or it can be doubted that it is what was written. V8 itself looks only
 * whether it is code of its own version and flags for a script of that length.
 * @param {typeof import('node:fs')} fs
 * @param {string} file
 */
function readCode(fs, file) {
  let fd;
  try {
    fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
    const facts = fs.fstatSync(fd);
    const { size } = facts;
    if (!facts.isFile() || !isOurs(facts, 0o600) || facts.nlink !== 1) return undefined;
    if (size === 0 || size % 2 === 1 || size > 2 * CODE_BYTES_MAX) return undefined;
    const bytes = Buffer.allocUnsafeSlow(size);
    if (fs.readSync(fd, bytes, 0, size, 0) !== size) return undefined;
    // It lies there twice, which is the fastest way to see that no bit of it has changed.
    const half = size / 2;
    return bytes.compare(bytes, half, size, 0, half) === 0 ? bytes.subarray(0, half) : undefined;
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/**
 * What a script is lent to import by. A script of ours is started; of others, `import` would look for their exports in the text
 * first, which takes longer than to run them, so what can be is loaded by `require`.
 * @param {string} name
 */
async function load(name) {
  if (name.startsWith('./')) return start(name.slice(2), use);
  if (/^file:.*\.m?ts$/.test(name) && stripsAnew()) keeping(({ keepStripped }) => keepStripped(PLACE));
  return requiredModule(name) || import(name);
}

let isStrippedKept = false;

/** Whether Node would strip the types of a module at each start, which is left to what was kept from now on. Later ones keep it. */
function stripsAnew() {
  if (isStrippedKept || process.features.typescript !== 'strip' || !isPlain()) return false;
  isStrippedKept = true;
  return Number(process.versions.node.split('.')[0]) < KEEPS_STRIPPED_SINCE;
}

/**
 * Of a module that waits at its top level, of any where node was told not to load such ones by `require`, and of one whose
 * imports only `import` may find, because it alone asks those who have a hand in it.
 */
const ONLY_IMPORTED = ['ERR_REQUIRE_ASYNC_MODULE', 'ERR_REQUIRE_ESM', 'ERR_MODULE_NOT_FOUND'];

/**
 * A module that is JavaScript in a file, which `require` loads some ms faster than `import`; undefined for what only the latter
 * can load, and for CommonJS, whose exports `import` gives in another form. Where somebody else has a hand in loading, such as
 * tsx, the two may load one file as two modules.
 * @param {string} url
 */
function requiredModule(url) {
  // Node itself has a hand in `.ts` from 22.18 on, and imports as fast there.
  if (!isPlain() || require.extensions['.ts'] || !/^file:.*\.m?js$/.test(url)) return undefined;
  // Not for mail, which has to start fast.
  const { fileURLToPath } = builtin('node:url');
  try {
    const loaded = require(fileURLToPath(url));
    return loaded !== null && typeof loaded === 'object' && loaded[Symbol.toStringTag] === 'Module'
      ? loaded
      : undefined;
  } catch (error) {
    if (ONLY_IMPORTED.includes(/** @type {NodeJS.ErrnoException} */ (error).code || '')) return undefined;
    throw error;
  }
}

/** Starts what a command line needs. Each script can carry out any line, if need be by another one. */
function main() {
  const words = process.argv.slice(2);
  const [first = 'help', ...others] = words;
  const mail = words.find((word) => MAIL.includes(word));
  if (/^[a-z]{1,16}$/.test(first)) use = first;
  if (WITH_MACHINES.includes(first)) keepModules();
  if (others.length === 0 && ABOUT.includes(first)) start('about', use, module);
  else if (OWN.includes(first)) {
    const explain = async (/** @type {readonly string[]} */ asked) => start('rest', use).runAny(asked);
    const done = start(first, use).runLine(words, explain);
    // As after a command of the mail: nothing is left to be done. A workflow may have left work of its user.
    if (first === 'hook') void done.then(() => process.exit());
  } else if (mail === undefined) start('rest', use).runAny(words);
  else start('mailroom', mail);
}

// What a script exports: whoever imports this file looks for the names in its text.
exports.runAny = undefined;

if (!isNodeNewEnough()) {
  const [oldest, next] = NODE_MIN.map((version) => version.join('.'));
  const needed = `Node ${oldest} or a later 20, or Node ${next} or newer is needed, and this is ${process.version}`;
  process.stderr.write(`mailroom: ${needed} (${process.execPath}). Install one: https://nodejs.org/\n`);
  process.exitCode = 1;
} else {
  const name = __filename.slice(__dirname.length + 1, -'.cjs'.length);
  if (name === 'mailroom' && require.main === module) main();
  else start(name, use, module);
}
