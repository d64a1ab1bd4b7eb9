// What `launch.cjs` needs only where something is to be kept in the user's cache folder: what V8 has compiled of a script, and
// what is left of a module when its types were stripped. Each start compiles the launcher, so this is a file of its own.
'use strict';

const fs = process.getBuiltinModule('node:fs');

const CODE_BYTES_MAX = 8 * 1024 * 1024;
const CACHE_FILES_MAX = 64;
const MODULES_MAX = 512;
const MODULES = 'modules';
const STRIPPED = 'stripped';
const STRIPPED_FILES_MAX = 256;
const LINE_END = 0x0a;

/** @typedef {import('node:fs').Stats} Stats */

/**
 * What the launcher knows of the cache folder.
 * @typedef {object} Place
 * @property {(name: string) => string | undefined} fileOf where what has this name is kept; undefined for nowhere
 * @property {(file: string) => Uint8Array | undefined} read what was kept there, if there is no doubt about it
 * @property {(facts: Stats, expected: number) => boolean} isOurs whether it is this user's, with these permissions
 */

/**
 * Keeps what V8 has compiled until now, if it is more than `lengthMin` bytes.
 * @param {Place} place
 * @param {string} file
 * @param {import('node:vm').Script} script
 * @param {number} lengthMin
 */
function keepCode(place, file, script, lengthMin) {
  keep(place, file, () => {
    const code = script.createCachedData();
    return code.length > lengthMin && code.length <= CODE_BYTES_MAX ? code : undefined;
  });
}

/**
 * Has `import` find the modules without their types that were stripped before, where Node strips them anew at each start: Node 22
 * loads a compiler for that, which takes longer than to start Node. Files of CommonJS, and what the types cannot be stripped
 * of, are left to Node, which says what is wrong.
 * @param {Place} place
 */
function keepStripped(place) {
  const { registerHooks } = process.getBuiltinModule('node:module');
  registerHooks({
    load: (url, context, nextLoad) => {
      const isModule = context.format === 'module-typescript' && /^file:[^?#]*\.m?ts$/.test(url);
      // There Node strips none.
      const source = isModule && !url.includes('/node_modules/') ? strippedOf(place, url) : undefined;
      return source === undefined ? nextLoad(url, context) : { format: 'module', source, shortCircuit: true };
    },
  });
}

/**
 * The module without its types; undefined where Node has to see to it.
 * @param {Place} place
 * @param {string} url
 */
function strippedOf(place, url) {
  try {
    const source = fs.readFileSync(process.getBuiltinModule('node:url').fileURLToPath(url));
    const file = place.fileOf(`${STRIPPED}/${hashOf(url)}-${process.version}-${process.arch}`);
    if (file === undefined) return undefined;
    const kept = readStripped(place, file, source);
    if (kept !== undefined) return kept;
    const text = strip(new TextDecoder('utf-8', { fatal: true }).decode(source));
    // With all that it was made of, so that no hash decides whether it is that of another text.
    keep(place, file, () => Buffer.concat([Buffer.from(`${source.length}\n`), source, Buffer.from(text)]));
    return text;
  } catch {
    return undefined;
  }
}

/**
 * What was kept of a module with exactly this source.
 * @param {Place} place
 * @param {string} file
 * @param {Uint8Array} source
 */
function readStripped(place, file, source) {
  const kept = place.read(file);
  if (kept === undefined) return undefined;
  const begin = kept.indexOf(LINE_END) + 1;
  const end = begin + source.length;
  const isSame = kept.latin1Slice(0, begin) === `${source.length}\n` && kept.subarray(begin, end).equals(source);
  return isSame ? kept.utf8Slice(end) : undefined;
}

/** @param {string} source */
function strip(source) {
  const emitWarning = Reflect.get(process, 'emitWarning');
  // That it is experimental, which whoever runs a machine can do nothing about.
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule('node:module').stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}

/**
 * Names the file of a text (FNV-1a). Two that share one only take turns.
 * @param {string} text
 */
function hashOf(text) {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) || 0), 0x01000193) >>> 0;
  return hash.toString(16);
}

/**
 * Writes a file of the cache folder, if `contents` makes something. Nothing depends on it, so whatever fails is left alone.
 * @param {Place} place
 * @param {string} file
 * @param {() => Uint8Array | undefined} contents
 */
function keep({ isOurs }, file, contents) {
  const directory = file.slice(0, file.lastIndexOf('/'));
  // In a container each process may have the same pid, and one of them may have been killed.
  const staged = `${file}.${process.pid}-${Date.now()}.tmp`;
  let fd;
  let umask;
  try {
    // Whatever the user's is: what is made here would not be taken with other permissions.
    umask = process.umask(0o077);
    if (!makePlace(directory)) return;
    // It may be another one than before.
    const facts = fs.lstatSync(directory);
    if (!facts.isDirectory() || !isOurs(facts, 0o700)) return;
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants;
    fd = fs.openSync(staged, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    const once = contents();
    if (once === undefined) throw new Error('not to be kept');
    // It lies there twice, which is the fastest way to see that no bit of it has changed.
    const bytes = Buffer.concat([once, once]);
    if (fs.writeSync(fd, bytes) !== bytes.length) throw new Error('no space');
    // The name must not outlive a loss of power without the bytes.
    fs.fsyncSync(fd);
    fs.renameSync(staged, file);
    removeOld(directory);
  } catch {
    if (fd !== undefined) fs.rmSync(staged, { force: true });
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
    if (umask !== undefined) process.umask(umask);
  }
}

/**
 * Makes the folder, but not in another user's home, which sudo may have left in HOME: that user could neither use a `.cache` made there
 * nor remove what is in it. Returns whether it may be used. Each directory by itself: where the system says ENOENT of a new one, as in
 * /proc, Node tries for ever to make a tree.
 * @param {string} directory
 */
function makePlace(directory) {
  const missing = [];
  let path = directory;
  let facts;
  while (!(facts = fs.statSync(path || '/', { throwIfNoEntry: false }))) {
    missing.unshift(path);
    path = path.slice(0, path.lastIndexOf('/'));
  }
  if (facts.uid !== process.getuid() && facts.uid !== 0) return false;
  for (const one of missing) {
    try {
      fs.mkdirSync(one, 0o700);
    } catch (error) {
      // Another process has made it meanwhile.
      if (error.code !== 'EEXIST') return false;
    }
  }
  return true;
}

/**
 * Other versions of Mailroom and of Node leave files that nobody reads any more.
 * @param {string} directory
 */
function removeOld(directory) {
  const isStripped = directory.endsWith(`/${STRIPPED}`);
  const modules = `${directory}/${MODULES}`;
  const kept = fs.lstatSync(modules, { throwIfNoEntry: false }) ? fs.readdirSync(modules, { recursive: true }) : [];
  if (kept.length > MODULES_MAX) fs.rmSync(modules, { recursive: true, force: true });
  const names = fs.readdirSync(directory).filter((name) => name !== MODULES && name !== STRIPPED);
  const filesMax = isStripped ? STRIPPED_FILES_MAX : CACHE_FILES_MAX;
  if (names.length <= filesMax) return;
  const timed = names.map((name) => {
    const facts = fs.lstatSync(`${directory}/${name}`, { throwIfNoEntry: false });
    return { name, timeMs: facts ? facts.mtimeMs : 0 };
  });
  timed.sort((a, b) => b.timeMs - a.timeMs);
  for (const { name } of timed.slice(filesMax)) fs.rmSync(`${directory}/${name}`, { force: true });
}

module.exports = { keepCode, keepStripped };
