// Writes the commands that have to start fast: a launcher each, and beside it the script with what V8 compiled of it.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);

/** What is run once for each message, what a machine is run with, and what a program runs at each turn. */
export const LAUNCHED = ['mailroom', 'run', 'hook'];

/**
 * A shorter text is kept by V8 among what is short-lived (128 KiB, less a header) and brings on a garbage collection,
 * which costs more than to read some blanks.
 */
const SCRIPT_CHARS_MIN = 128 * 1024;

/**
 * @param {readonly { name: string, text: string }[]} scripts
 * @param {string} outdir
 */
export function writeLaunched(scripts, outdir) {
  for (const { name, text } of scripts) {
    const file = path.join(outdir, `${name}.compiled`);
    const script = wrap(text);
    fs.writeFileSync(file, script, 'latin1');
    const compiled = spawnSync(process.execPath, [path.join(root, '.ci', 'compile.cjs'), outdir, name], {
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    });
    const isCompiled = compiled.status === 0;
    // It works without, some ms slower; whoever builds in a sandbox that cannot hold a room should still get a command.
    if (!isCompiled) console.error(`${name} was not compiled in advance: ${compiled.stderr}`);
    const header = `${process.version}-${process.platform}-${process.arch} ${script.length}\n`;
    const cache = isCompiled ? fs.readFileSync(`${file}.cache`) : Buffer.alloc(0);
    fs.writeFileSync(file, Buffer.concat([Buffer.from(header + script, 'latin1'), cache]));
    fs.rmSync(`${file}.cache`, { force: true });
    fs.copyFileSync(path.join(root, '.ci', 'launch.cjs'), path.join(outdir, `${name}.cjs`));
  }
}

/**
 * A function that is given what a module has in CommonJS, and the launcher's way of loading.
 * @param {string} text
 */
function wrap(text) {
  // What is bundled for the library looks for its programs beside itself, and there they lie.
  const url = text.includes('libraryUrl')
    ? 'const libraryUrl=require("node:url").pathToFileURL(__dirname+"/../index.js").href;'
    : '';
  return `(function(require,module,__dirname,load){"use strict";${url}${text.trimEnd().padEnd(SCRIPT_CHARS_MIN)}\n})`;
}
