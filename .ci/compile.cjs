// `compile.cjs <directory> <name>`: runs a command's script, which lies in the directory, through what it does most, in a room of
// its own, and leaves beside it what V8 compiled on the way. A process for each, because only that process knows its own
// compiled code.
'use strict';
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Script } = require('node:vm');

const [directory = '', name = ''] = process.argv.slice(2);
const filename = path.join(directory, `${name}.compiled`);
const script = new Script(fs.readFileSync(filename, 'latin1'), { filename });
const { runAny } = require(path.join(directory, 'rest.cjs'));

/** @param {string} module */
const load = async (module) => (module.startsWith('./') ? require(path.join(directory, module)) : import(module));

/**
 * Starts the script with a command line, and waits for its end.
 * @param {string[]} words
 * @param {string} [input] what a hook is given
 */
async function run(words, input) {
  process.argv = [process.execPath, 'mailroom', ...words];
  process.exitCode = undefined;
  const module = {
    exports: /** @type {{ runLine?: (words: string[], explain?: unknown, input?: string) => Promise<void> }} */ ({}),
  };
  script.runInThisContext()(require, module, directory, load);
  await module.exports.runLine?.(words, undefined, input);
  while (process.exitCode === undefined) await new Promise((resolve) => setImmediate(resolve));
  if (process.exitCode) throw new Error(`mailroom ${words.join(' ')} failed with ${process.exitCode}`);
}

/**
 * What a machine imports has to be found beside it, as is usual: else it is looked for in this program, which is another way
 * of loading.
 * @param {string} room
 */
function installBeside(room) {
  for (const imported of ['agent-mailroom', 'xstate', 'zod']) {
    const installed = path.join(room, 'node_modules', imported);
    fs.mkdirSync(installed, { recursive: true });
    const exported = { '.': './index.js', './workflow': './index.js' };
    fs.writeFileSync(path.join(installed, 'package.json'), JSON.stringify({ name: imported, exports: exported }));
    fs.writeFileSync(path.join(installed, 'index.js'), '');
  }
}

/** @param {string} room */
async function compile(room) {
  installBeside(room);
  process.env.MAILROOM_DIR = path.join(room, '.mailroom');
  for (const inherited of ['TMUX', 'MAILROOM_AS', 'CLAUDE_ENV_FILE']) delete process.env[inherited];
  await runAny(['init']);
  await runAny(['join', 'alice']);
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
  // Of the mail commands what they share: with all that each runs the file is twice as long, and reading it costs what it saves.
  if (name === 'mailroom') await run(['whoami', '--as', 'alice']);
  else if (name === 'hook') {
    // The second one finds nothing new, as nearly all do.
    for (const event of ['SessionStart', 'Stop']) {
      await run(['hook', 'claude', event], JSON.stringify({ session_id: 'compiled', cwd: room }));
    }
  } else for (const address of ['first', 'second']) await run(['run', machine, '--as', address]);
  fs.writeFileSync(`${filename}.cache`, script.createCachedData());
}

const room = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-build-'));
void compile(room).finally(() => fs.rmSync(room, { recursive: true, force: true }));
