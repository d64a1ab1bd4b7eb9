// `compile.cjs <script> <directory>`: runs the command's script through what agents do most, in a room of its own, and
// leaves beside the script what V8 compiled on the way. One process, because only that process knows its own compiled code.
'use strict';
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Script } = require('node:vm');

const [scriptPath = '', directory = ''] = process.argv.slice(2);
const script = new Script(fs.readFileSync(scriptPath, 'latin1'), { filename: scriptPath });
const start = script.runInThisContext();
const load = async (/** @type {string} */ name) =>
  name.startsWith('./') ? require(path.join(directory, name)) : import(name);

const room = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-build-'));
process.env.MAILROOM_DIR = path.join(room, '.mailroom');
delete process.env.TMUX;
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
];

// Each line runs until nothing is left to do, as it would in a process of its own.
process.on('beforeExit', () => {
  const line = lines.shift();
  if (line === undefined) return;
  process.argv = [process.execPath, scriptPath, ...line.split(' ')];
  if (process.exitCode) throw new Error(`the command failed before: mailroom ${line}`);
  start(require, directory, load);
});
process.on('exit', () => {
  fs.rmSync(room, { recursive: true, force: true });
  if (!process.exitCode) fs.writeFileSync(`${scriptPath}.cache`, script.createCachedData());
});
