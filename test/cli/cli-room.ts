import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { nodeHost } from '../../src/host/node-host.ts';
import { initRoom, openRoom, type RoomLimits } from '../../src/index.ts';

const COMMAND = path.join(import.meta.dirname, '../../dist/cli/mailroom.cjs');

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** MAILROOM_AS; none when not given. */
  readonly as?: string;
  readonly stdin?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** In a session of its own, as in a terminal of its own: setsid(2). */
  readonly session?: boolean;
}

/** A room in a temporary directory of its own, and the built command run in it by child processes. */
export interface CliRoom extends Disposable {
  /** The project that the room belongs to. */
  readonly directory: string;
  readonly room: string;
  /** Where the command lies under its name. */
  readonly bin: string;
  /** What every command gets: nothing of this process says who or where it is. */
  readonly env: Readonly<Record<string, string>>;
  run(args: readonly string[], options?: RunOptions): Promise<Ran>;
  /** Runs a line of shell in which `mailroom` is a command. */
  shell(line: string, options?: RunOptions): Promise<Ran>;
  /** Runs the command and parses what it prints. Throws when it fails. */
  json(args: readonly string[], options?: RunOptions): Promise<unknown>;
}

/** Two agents, alice and bob, have joined, unless others are named. */
export async function createCliRoom(
  options: { agents?: readonly string[]; limits?: Partial<RoomLimits>; algorithm?: 'hmac-sha256' | 'ed25519' } = {},
): Promise<CliRoom> {
  const { agents = ['alice', 'bob'], limits = {}, algorithm } = options;
  const outer = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-cli-')));
  const directory = path.join(outer, 'project');
  const bin = path.join(outer, 'bin');
  fs.mkdirSync(directory);
  fs.mkdirSync(bin);
  fs.symlinkSync(COMMAND, path.join(bin, 'mailroom'));
  await initRoom({ cwd: directory, algorithm, limits: { rateLimit: 1000, ...limits } });
  await using opened = await openRoom({ cwd: directory });
  for (const address of agents) await opened.join(address, { process: nodeHost.processes.sessionLeader() });
  const cache = process.env['XDG_CACHE_HOME'];
  const env = {
    PATH: `${bin}:${path.dirname(process.execPath)}:/usr/bin:/bin`,
    HOME: outer,
    // The commands of all tests share what V8 has compiled of them.
    ...(cache === undefined ? {} : { XDG_CACHE_HOME: cache }),
  };
  const start = (
    file: string,
    args: readonly string[],
    { as, env: more, cwd, stdin, session = false }: RunOptions,
  ): Promise<Ran> =>
    runToEnd(file, args, {
      cwd: cwd ?? directory,
      env: { ...env, ...(as === undefined ? {} : { MAILROOM_AS: as }), ...more },
      stdin,
      session,
    });
  const run: CliRoom['run'] = (args, given = {}) => start(process.execPath, [COMMAND, ...args], given);
  return {
    directory,
    room: path.join(directory, '.mailroom'),
    bin,
    env,
    run,
    shell: (line, given = {}) => start('/bin/sh', ['-c', line], given),
    json: async (args, given) => {
      const ran = await run([...args, '--json'], given);
      if (ran.code !== 0) throw new Error(`mailroom ${args.join(' ')} ended with ${ran.code}: ${ran.stderr}`);
      return JSON.parse(ran.stdout);
    },
    [Symbol.dispose]: () => fs.rmSync(outer, { recursive: true, force: true }),
  };
}

function runToEnd(
  file: string,
  args: readonly string[],
  options: { cwd: string; env: Record<string, string>; stdin: string | Buffer | undefined; session: boolean },
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const { stdin, session, ...place } = options;
    const stdio = [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] as const;
    const child = spawn(file, args, { ...place, detached: session, stdio: [...stdio] });
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
    child.stdin?.on('error', () => {});
    child.stdin?.end(stdin);
  });
}
