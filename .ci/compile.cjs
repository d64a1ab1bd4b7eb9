// `compile.cjs <directory> <script …>`: runs scripts of the commands through what agents and workflows do most, in a room of
// its own, and leaves beside each what V8 compiled on the way. One process, because only that process knows its own
// compiled code.
'use strict';
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Script } = require('node:vm');

const [directory = '', ...names] = process.argv.slice(2);
const scripts = new Map(names.map((name) => [name, compile(path.join(directory, `${name}.compiled`))]));

/** @param {string} filename */
function compile(filename) {
  return new Script(fs.readFileSync(filename, 'latin1'), { filename });
}

/**
 * Starts a script, and returns what it exports.
 * @param {string} name
 */
function start(name) {
  const module = { exports: /** @type {{ runLine?: (words: string[]) => void }} */ ({}) };
  scripts.get(name)?.runInThisContext()(require, module, directory, load);
  return module.exports;
}

/** @param {string} name */
async function load(name) {
  return name.startsWith('./') ? require(path.join(directory, name)) : import(name);
}

const room = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-build-'));
process.env.MAILROOM_DIR = path.join(room, '.mailroom');
delete process.env.TMUX;
const machine = path.join(room, 'machine.cjs');
fs.writeFileSync(
  machine,
  `const { createMachine } = require(${JSON.stringify(require.resolve('xstate'))});
exports.machine = createMachine({
  id: 'compiled',
  initial: 'waiting',
  states: { waiting: { after: { 1: 'over' } }, over: { type: 'final' } },
});`,
);
const lines = [
  'init',
  'join alice',
  'join bob',
  'whoami --as alice',
  'inbox --as alice',
  'send bob INFO hello --as alice',
  'send bob INFO hello --as alice --json',
  'inbox --as bob',
  'read --as bob',
  'send alice INFO hello --as bob',
  'read --hold --json --as alice',
  `run ${machine} --as first`,
  `run ${machine} --as second`,
];

// Each line runs until nothing is left to do, as it would in a process of its own.
process.on('beforeExit', () => {
  const line = lines.shift();
  if (line === undefined) return;
  process.argv = [process.execPath, 'mailroom', ...line.split(' ')];
  if (process.exitCode) throw new Error(`the command failed before: mailroom ${line}`);
  const command = line.startsWith('run ') ? start('run') : start('mailroom');
  command.runLine?.(process.argv.slice(2));
});
process.on('exit', () => {
  fs.rmSync(room, { recursive: true, force: true });
  if (process.exitCode) return;
  for (const [name, script] of scripts) {
    fs.writeFileSync(path.join(directory, `${name}.compiled.cache`), script.createCachedData());
  }
});
