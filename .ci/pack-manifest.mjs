// `pack-manifest.mjs trim|restore`: `npm pack` packs package.json as it lies there, so while it packs, that is one without what
// only this checkout needs. The whole one is kept beside it, and is put back behind the packing: by `restore`, or, where npm
// was killed before, by a process that waits for npm's end.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = path.dirname(import.meta.dirname);
const manifest = path.join(root, 'package.json');
const kept = path.join(root, '.package.whole.json');

const POLL_MS = 100;
/** A packing that takes longer is given up, not the manifest. */
const PACKING_MS_MAX = 600_000;

/** What nobody needs who installs the package. */
const OF_THE_CHECKOUT = ['scripts', 'devDependencies', 'prettier', 'knip'];

const [command, pid = ''] = process.argv.slice(2);
if (command === 'trim') trim();
else if (command === 'restore') restore();
else if (command === 'guard') await guard(Number(pid));

function trim() {
  if (!fs.existsSync(path.join(root, 'dist', 'index.js'))) {
    console.error('agent-mailroom: there is no dist/ to pack. Build it first: npm ci');
    process.exitCode = 1;
    return;
  }
  // One that was killed, with its guard, has left the trimmed one.
  restore();
  const whole = fs.readFileSync(manifest, 'utf8');
  replace(kept, whole);
  startGuard();
  const { imports, ...trimmed } = JSON.parse(whole);
  for (const key of OF_THE_CHECKOUT) delete trimmed[key];
  // The types of what is imported so come from packages that are not installed.
  for (const target of Object.values(imports)) delete target.types;
  replace(manifest, `${JSON.stringify({ ...trimmed, imports }, null, 2)}\n`);
}

/** Puts the whole manifest back, if another one is in its place. */
function restore() {
  // By one rename: there is always one of the two, and the last to come finds nothing.
  fs.rmSync(`${kept}.new`, { force: true });
  try {
    fs.renameSync(kept, manifest);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOENT') throw error;
  }
}

/**
 * Writes a file as a whole, or not at all.
 * @param {string} file
 * @param {string} text
 */
function replace(file, text) {
  const staged = `${file}.new`;
  fs.writeFileSync(staged, text, { flush: true });
  fs.renameSync(staged, file);
}

function startGuard() {
  const args = [import.meta.filename, 'guard', String(packerPid())];
  spawn(process.execPath, args, { cwd: root, detached: true, stdio: 'ignore' }).unref();
}

/** The program that packs: it runs this one in a shell, which ends with this one. */
function packerPid() {
  const [parent, comm = ''] = psOf(process.ppid, 'ppid=,comm=');
  return /(?:^|[/-])(?:ba|da|z|a|k)?sh$/.test(comm) ? Number(parent) : process.ppid;
}

/**
 * @param {number} of
 * @param {string} columns
 */
function psOf(of, columns) {
  const { stdout } = spawnSync('ps', ['-o', columns, '-p', String(of)], { encoding: 'utf8' });
  return stdout.trim().split(/\s+/);
}

/** @param {number} packer */
async function guard(packer) {
  const until = Date.now() + PACKING_MS_MAX;
  while (fs.existsSync(kept) && isAlive(packer) && Date.now() < until) await sleep(POLL_MS);
  restore();
}

/** @param {number} one */
function isAlive(one) {
  try {
    process.kill(one, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}
