#!/usr/bin/env node
// Starts a command from what V8 compiled when it was built, if this is the same Node on the same kind of machine; on any
// other it is compiled now, which takes some ms longer. A module that is loaded as usual would be compiled each time, and
// a command is run once for each message.
'use strict';

/** What `engines` in package.json says. */
const NODE_MIN = [20, 19];

/**
 * Whether this Node can run what lies beside this file. Until that is known the file must not use any syntax or module that an
 * old Node does not know: whoever has one is to read which is needed, and no part of a program.
 */
function isNodeNewEnough() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
}

/**
 * Of a module that waits at its top level, of any where node was told not to load such ones by `require`, and of one whose
 * imports only `import` may find, because it alone asks those who have a hand in it.
 */
const ONLY_IMPORTED = ['ERR_REQUIRE_ASYNC_MODULE', 'ERR_REQUIRE_ESM', 'ERR_MODULE_NOT_FOUND'];

/**
 * Starts the script of this name that lies beside this file, as a module that exports this.
 * @param {string} command
 * @param {{ exports: unknown }} module
 */
function start(command, module) {
  const { readFileSync } = require('node:fs');
  const { Script } = require('node:vm');
  // One file, so that the script and what was compiled from it always belong together: a line that says for which Node and
  // how long the script is, the script in ASCII, the compiled code.
  const filename = `${__dirname}/${command}.compiled`;
  const file = readFileSync(filename);
  const begin = file.indexOf('\n') + 1;
  const [builtFor, length] = file.latin1Slice(0, begin - 1).split(' ');
  const end = begin + Number(length);
  const isSame = builtFor === `${process.version}-${process.platform}-${process.arch}`;
  const script = new Script(file.latin1Slice(begin, end), {
    filename,
    cachedData: isSame ? file.subarray(end) : undefined,
  });
  // Our own files are CommonJS: `import` would look for their exports in the text first, which takes longer than to run them.
  const load = async (/** @type {string} */ name) =>
    name.startsWith('./') ? require(name) : required(name) || import(name);
  script.runInThisContext()(require, module, __dirname, load);
}

/**
 * A module that is JavaScript in a file, which `require` loads some ms faster than `import`; undefined for what only the latter
 * can load, and for CommonJS, whose exports `import` gives in another form. Where somebody else has a hand in loading, such as
 * tsx, the two may load one file as two modules.
 * @param {string} url
 */
function required(url) {
  const isPlain = process.execArgv.length === 0 && !process.env['NODE_OPTIONS'] && !require.extensions['.ts'];
  if (!isPlain || !/^file:.*\.m?js$/.test(url)) return undefined;
  // Not for mail, which has to start fast.
  const { fileURLToPath } = require('node:url');
  const { isModuleNamespaceObject } = require('node:util/types');
  try {
    const loaded = require(fileURLToPath(url));
    return isModuleNamespaceObject(loaded) ? loaded : undefined;
  } catch (error) {
    if (ONLY_IMPORTED.includes(/** @type {NodeJS.ErrnoException} */ (error).code || '')) return undefined;
    throw error;
  }
}

// What such a script exports: whoever imports this file looks for the names in its text.
exports.carryOut = undefined;
exports.runLine = undefined;

/** Scripts of their own, which need not wait for that of the mail to be read. */
const OWN_SCRIPTS = ['run', 'hook'];

if (!isNodeNewEnough()) {
  const needed = `Node ${NODE_MIN.join('.')} or newer is needed, and this is ${process.version}`;
  process.stderr.write(`mailroom: ${needed} (${process.execPath}). Install one: https://nodejs.org/\n`);
  process.exitCode = 1;
} else if (
  __filename.endsWith('mailroom.cjs') &&
  require.main === module &&
  OWN_SCRIPTS.includes(process.argv[2] || '')
) {
  const explain = (/** @type {readonly string[]} */ words) => require('./rest.cjs').runAny(words);
  const own = { exports };
  start(process.argv[2] || '', own);
  own.exports.runLine(process.argv.slice(2), explain);
} else start(require('node:path').basename(__filename, '.cjs'), module);
