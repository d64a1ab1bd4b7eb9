import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { nodeHost } from '../../src/host/node-host.ts';
import { initRoom, openRoom, type RoomLimits } from '../../src/index.ts';
import { mayRunInProcess, plainWords, runInProcess, type Place, type Ran } from './run-in-process.ts';

export type { Ran };

const COMMAND = path.join(import.meta.dirname, '../../dist/cli/mailroom.cjs');

export interface RunOptions {
  /** MAILROOM_AS; none when not given. */
  readonly as?: string;
  readonly stdin?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** In a session of its own, as in a terminal of its own: setsid(2). */
  readonly session?: boolean;
  /**
   * In a process of its own: for what has to end with it, run beside others, or get signals. `false`: within this process though it
   * imports a machine, which must be JavaScript and end by itself.
   */
  readonly process?: boolean;
}

/** A room in a temporary directory of its own, and the built command run in it. */
export interface CliRoom extends Disposable {
  /** The project that the room belongs to. */
  readonly directory: string;
  readonly room: string;
  /** Where the command lies under its name. */
  readonly bin: string;
  /** What every command gets: nothing of this process says who or where it is. */
  readonly env: Readonly<Record<string, string>>;
  /** Within this process where that makes no difference, see `runInProcess`. */
  run(args: readonly string[], options?: RunOptions): Promise<Ran>;
  /** Runs a line of shell in which `mailroom` is a command. */
  shell(line: string, options?: RunOptions): Promise<Ran>;
  /** Runs the command and parses what it prints. Throws when it fails. */
  json(args: readonly string[], options?: RunOptions): Promise<unknown>;
}

interface CliRoomOptions {
  readonly agents?: readonly string[];
  readonly limits?: Partial<RoomLimits>;
  readonly algorithm?: 'hmac-sha256' | 'ed25519';
  /** Every command in a process of its own. Default: false. */
  readonly apart?: boolean;
}

/** Two agents, alice and bob, have joined, unless others are named. */
export async function createCliRoom(options: CliRoomOptions = {}): Promise<CliRoom> {
  const { agents = ['alice', 'bob'], limits = {}, algorithm, apart = false } = options;
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
  const placeOf = ({ as, env: more, cwd, stdin }: RunOptions): Place => ({
    cwd: cwd ?? directory,
    env: { ...env, ...(as === undefined ? {} : { MAILROOM_AS: as }), ...more },
    stdin,
  });
  const start = (file: string, args: readonly string[], given: RunOptions): Promise<Ran> =>
    runToEnd(file, args, { ...placeOf(given), session: given.session ?? false });
  const run: CliRoom['run'] = (args, given = {}) => {
    const place = placeOf(given);
    return apart || given.process || given.session || !mayRunInProcess(args, place.env, given.process === false)
      ? start(process.execPath, [COMMAND, ...args], given)
      : runInProcess(args, place);
  };
  const shell: CliRoom['shell'] = (line, given = {}) => {
    const [program, ...args] = plainWords(line) ?? [];
    const isPlain = program === 'mailroom' && !apart && !given.process && !given.session;
    return isPlain && mayRunInProcess(args, placeOf(given).env)
      ? run(args, given)
      : start('/bin/sh', ['-c', line], given);
  };
  return {
    directory,
    room: path.join(directory, '.mailroom'),
    bin,
    env,
    run,
    shell,
    json: async (args, given) => {
      const ran = await run([...args, '--json'], given);
      if (ran.code !== 0) throw new Error(`mailroom ${args.join(' ')} ended with ${ran.code}: ${ran.stderr}`);
      return JSON.parse(ran.stdout);
    },
    [Symbol.dispose]: () => fs.rmSync(outer, { recursive: true, force: true }),
  };
}

function runToEnd(file: string, args: readonly string[], options: Place & { session: boolean }): Promise<Ran> {
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
