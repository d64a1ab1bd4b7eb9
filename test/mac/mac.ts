import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { CliRoom, Ran } from '../cli/cli-room.ts';

const TOOLS = path.join(import.meta.dirname, '..', '..', 'fixtures', 'bsd');
/** Where the tools find the proc(5) that is hidden from everyone else. */
const REAL_PROC = '/mnt';

const bind = (from: string, to: string): string[] => ['--ro-bind', from, to];

const HIDE_PROC = [
  'bwrap',
  '--die-with-parent',
  '--dev-bind',
  '/',
  '/',
  '--dev-bind',
  '/proc',
  REAL_PROC,
  '--tmpfs',
  '/proc',
];
const BSD_TOOLS = [
  ...bind(`${TOOLS}/ps`, '/usr/bin/ps'),
  '--tmpfs',
  '/usr/sbin',
  ...bind(`${TOOLS}/sysctl`, '/usr/sbin/sysctl'),
  ...bind(`${TOOLS}/lsof`, '/usr/sbin/lsof'),
];
const NO_PS = bind('/dev/null', '/usr/bin/ps');

/** A way to run programs in which this Linux looks like another system. */
export interface Disguise {
  readonly words: readonly string[];
  /** The value of `process.platform`. */
  readonly platform: 'darwin' | 'linux';
}

/** No /proc, and the tools of macOS in place of those of Linux. */
export const MAC: Disguise = { words: [...HIDE_PROC, ...BSD_TOOLS], platform: 'darwin' };
/** The same, with each start of ps recorded as a line of a file. */
export function countingMac(room: CliRoom, file: string): Disguise {
  const ps = path.join(room.bin, 'counting-ps');
  fs.writeFileSync(ps, `#!/bin/sh\necho "$*" >> '${file}'\nexec '${TOOLS}/ps' "$@"\n`, { mode: 0o755 });
  const words = MAC.words.map((word) => (word === `${TOOLS}/ps` ? ps : word));
  return { ...MAC, words };
}

/** The same in a sandbox in which nobody can run ps. */
export const SANDBOXED_MAC: Disguise = { words: [...HIDE_PROC, ...BSD_TOOLS.slice(3), ...NO_PS], platform: 'darwin' };
/** No /proc and no ps. */
export const BARE_LINUX: Disguise = { words: [...HIDE_PROC, ...NO_PS], platform: 'linux' };

/** Whether to skip a test: the tool is missing, or the machine forbids it, and it was not required. */
export function skipWithout({ words }: Disguise): boolean {
  // bwrap creates the paths it covers, and that would happen on the real system.
  const canCover = ['/usr/bin/ps', '/usr/sbin', REAL_PROC].every((place) => fs.existsSync(place));
  const look = [...words.slice(1), 'sh', '-c', 'test ! -e /proc/1'];
  const works = canCover && spawnSync(words[0] ?? '', look).status === 0;
  return !works && (process.platform !== 'linux' || process.env['MAILROOM_CI'] === undefined);
}

/** What a program gets in a disguise. */
function environmentIn(room: CliRoom, { platform }: Disguise): Record<string, string> {
  const preload = path.join(room.bin, `${platform}.cjs`);
  const disguise = `Object.defineProperty(process, 'platform', { value: '${platform}' });`;
  // Node finds its own program through /proc, too.
  fs.writeFileSync(preload, `${disguise}\nprocess.execPath = ${JSON.stringify(process.execPath)};\n`);
  return { ...room.env, NODE_OPTIONS: `--require=${preload}` };
}

export interface Started {
  readonly child: ChildProcess;
  readonly told: () => string;
  readonly ended: Promise<Ran>;
}

/** Starts a line of shell, in which `mailroom` is a command, as the leader of a session of its own: a terminal. */
export function startIn(room: CliRoom, disguise: Disguise, line: string): Started {
  const [file = '', ...words] = disguise.words;
  const env = environmentIn(room, disguise);
  const child = spawn(file, [...words, 'sh', '-c', line], {
    cwd: room.directory,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Ran>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, told: () => stdout + stderr, ended };
}

/** The same, to its end. */
export function runIn(room: CliRoom, disguise: Disguise, line: string): Promise<Ran> {
  return startIn(room, disguise, line).ended;
}
