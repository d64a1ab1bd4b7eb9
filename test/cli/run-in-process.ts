import childProcess, { type SpawnOptions } from 'node:child_process';
import { EventEmitter } from 'node:events';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import vm from 'node:vm';

const LAUNCHER = path.join(import.meta.dirname, '../../dist/cli/mailroom.cjs');
const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const NOTHING = Buffer.alloc(0);

/** How a command ended and what it wrote. */
export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Place {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Default: nothing, as from `/dev/null`. */
  readonly stdin?: string | Buffer | undefined;
}

/**
 * Runs the built command inside this process, for a fraction of what starting Node costs. The launcher and its scripts are the
 * files that users start, evaluated anew for each run, so no state is shared. They see another `process`: the given words, environment,
 * working directory and streams, this process as their parent, and an exit code of their own.
 *
 * Its pid is that of this process, and it ends when the command has returned. What depends on a process of its own therefore takes a
 * real one: signals, the watchdog, the code cache, streams that close, and commands that import the file of a machine.
 */
export function runInProcess(args: readonly string[], place: Place): Promise<Ran> {
  return startInProcess(args, place).ended;
}

/** A command that runs until it is interrupted. */
export interface RunningInProcess {
  readonly ended: Promise<Ran>;
  /** What it has written so far. */
  readonly texts: () => Pick<Ran, 'stdout' | 'stderr'>;
  /** Tells it of a signal, which it handles; one that it does not handle does nothing. */
  readonly interrupt: (signal: NodeJS.Signals) => void;
}

/** The same without waiting for its end. */
export function startInProcess(args: readonly string[], place: Place): RunningInProcess {
  const streams = createStreams(place.stdin);
  const events = new EventEmitter();
  const ended = new Promise<Ran>((resolve, reject) => {
    const end = (code: number): void => resolve({ code, signal: null, ...streams.texts() });
    const simulated = simulateProcess(args, place, { streams, events, end });
    let running = 0;
    // A script that starts another one may leave the process by itself when that has returned.
    const endUnlessRunning = (): unknown => running === 0 && setImmediate(() => simulated.exit());
    const follow = (done: Promise<void>): Promise<void> => {
      running++;
      done.finally(() => running--).then(endUnlessRunning, reject);
      return done;
    };
    const builtins = simulateBuiltins(place, streams, { process: simulated, follow });
    simulated.getBuiltinModule = (name: string) => builtins[name] ?? process.getBuiltinModule(name);
    const module = { exports: {} };
    const require = Object.assign(createRequire(LAUNCHER), { main: module });
    const launch = compiled(LAUNCHER, () => {
      const text = fs.readFileSync(LAUNCHER, 'utf8').replace(/^#!.*/, '');
      return `(function(process,require,module,exports,__dirname,__filename){${text}\n})`;
    }) as (...values: unknown[]) => void;
    launch(simulated, require, module, module.exports, path.dirname(LAUNCHER), LAUNCHER);
  });
  return { ended, texts: () => streams.texts(), interrupt: (signal) => void events.emit(signal, signal) };
}

/** A word of a shell as it stands, or in quotes that hold nothing which means more to a shell. */
const WORD = /(?:[\w./:@%+,=-]|'[^']*'|"[^"$`\\!]*")+/y;
/** At the start of a line it would be a variable. */
const ASSIGNMENT = /^\w+=/;

/**
 * The words of a line of shell, where every shell takes it for one command with exactly these words; undefined for a line that
 * needs a shell.
 */
export function plainWords(line: string): string[] | undefined {
  const words: string[] = [];
  for (let at = 0; at < line.length;) {
    WORD.lastIndex = at;
    const [word = ''] = WORD.exec(line) ?? [];
    at += word.length;
    if (word === '' || (at < line.length && line[at] !== ' ') || (words.length === 0 && ASSIGNMENT.test(word)))
      return undefined;
    words.push(
      word.replaceAll(/'([^']*)'|"([^"]*)"/g, (_quoted, single?: string, double?: string) => single ?? double ?? ''),
    );
    while (line[at] === ' ') at++;
  }
  return words;
}

/** Commands that import the files of machines, or run until they are stopped. */
const NEED_PROCESSES = ['agent', 'graph', 'inspect', 'replay', 'run', 'watch'];

/** Set where every command is to be a process of its own. */
export const ARE_ALL_PROCESSES = process.env['MAILROOM_TEST_PROCESSES'] !== undefined;

/** Whether `runInProcess` would do the same as a process. `ends`: it imports no machine but one that may be imported here, and ends. */
export function mayRunInProcess(args: readonly string[], env: Place['env'], ends = false): boolean {
  const isApart = !ends && args.some((word) => NEED_PROCESSES.includes(word));
  return !ARE_ALL_PROCESSES && env['NODE_OPTIONS'] === undefined && !isApart;
}

/** What a file's code evaluates to, compiled once for each text and evaluated each time. */
function compiled(key: string, textOf: () => string): unknown {
  let script = scripts.get(key);
  if (!script) {
    const importModuleDynamically = vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER;
    script = new vm.Script(textOf(), { filename: LAUNCHER, importModuleDynamically });
    scripts.set(key, script);
  }
  return script.runInThisContext();
}

const scripts = new Map<string, vm.Script>();

interface SimulatedProcess {
  exitCode: number | undefined;
  exit(code?: number): void;
  getBuiltinModule(name: string): unknown;
}

/** `process` of a child of this process; what is not named here is the same for a child. */
function simulateProcess(
  args: readonly string[],
  { cwd, env }: Place,
  { streams, events, end }: { streams: Streams; events: EventEmitter; end: (code: number) => void },
): SimulatedProcess {
  const simulated = Object.create(process) as SimulatedProcess;
  const own = {
    argv: [process.execPath, LAUNCHER, ...args],
    execArgv: [],
    env: { ...env },
    ppid: process.pid,
    exitCode: undefined as number | undefined,
    cwd: () => cwd,
    exit: (code: number = simulated.exitCode ?? 0) => end(code),
    // Without it the launcher takes no compiled code from the user's cache, and keeps none.
    geteuid: undefined,
    stdout: { write: (text: string) => streams.write(STDOUT, Buffer.from(text)) },
    stderr: { write: (text: string) => streams.write(STDERR, Buffer.from(text)) },
    ...Object.fromEntries(
      (['on', 'once', 'off', 'listeners', 'emit'] as const).map((name) => [name, events[name].bind(events)]),
    ),
  };
  for (const [name, value] of Object.entries(own)) Object.defineProperty(simulated, name, { value, writable: true });
  return simulated;
}

/** The modules of Node that know about the process: its descriptors, its working directory, its children. */
function simulateBuiltins(
  { cwd, env }: Place,
  streams: Streams,
  { process: simulated, follow }: { process: SimulatedProcess; follow: (done: Promise<void>) => Promise<void> },
): Readonly<Record<string, unknown>> {
  /** A script that the launcher starts, which takes `process` for the simulated one. */
  class Script {
    readonly #text: string;

    constructor(text: string) {
      this.#text = text;
    }

    runInThisContext(): unknown {
      // A script begins with its hash.
      const [key = ''] = this.#text.split('\n', 1);
      const enclosed = compiled(key, () => `(function(process){return (${this.#text}\n)})`) as Enclosed;
      const evaluate = enclosed(simulated);
      return (...given: Parameters<typeof evaluate>): void => {
        evaluate(...given);
        const [, module] = given;
        const entries = Object.entries(module.exports).filter(([name]) => ENTRIES.includes(name));
        const followed = entries.map(([name, run]) => [name, (...values: never[]) => follow(run(...values))]);
        module.exports = { ...module.exports, ...Object.fromEntries(followed) };
      };
    }
  }
  return {
    'node:vm': { ...vm, Script },
    'node:fs': { ...fs, ...pathsFrom(cwd), ...descriptorsOf(streams) },
    'node:path': { ...path, resolve: (...parts: string[]) => path.resolve(cwd, ...parts) },
    'node:child_process': childrenFrom({ cwd, env }),
  };
}
type Entry = (...values: never[]) => Promise<void>;
type Enclosed = (
  simulated: SimulatedProcess,
) => (require: unknown, module: { exports: Record<string, Entry> }, directory: string, load: unknown) => void;

/** What a script exports for the launcher to run. */
const ENTRIES = ['runAny', 'runLine'];

type PathCall = (file: unknown, ...more: unknown[]) => unknown;

const ONE_PATH = [
  'accessSync',
  'chmodSync',
  'existsSync',
  'lstatSync',
  'mkdirSync',
  'openSync',
  'readFileSync',
  'readdirSync',
  'readlinkSync',
  'realpathSync',
  'rmSync',
  'rmdirSync',
  'statSync',
  'statfsSync',
  'unlinkSync',
  'utimesSync',
] as const;

/** The calls that take a path, relative to `cwd`. */
function pathsFrom(cwd: string): Partial<typeof fs> {
  const wrap =
    (call: PathCall): PathCall =>
    (file, ...more) =>
      call(isRelative(file) ? path.resolve(cwd, file) : file, ...more);
  const one = Object.fromEntries(ONE_PATH.map((name) => [name, wrap(fs[name] as PathCall)]));
  Object.assign(one['realpathSync'] as object, { native: wrap(fs.realpathSync.native as PathCall) });
  return one;
}

const isRelative = (file: unknown): file is string => typeof file === 'string' && file !== '' && !path.isAbsolute(file);

interface Streams {
  read(into: Uint8Array, offset: number, length: number): number;
  write(fd: number, bytes: Uint8Array): void;
  texts(): { stdout: string; stderr: string };
}

function createStreams(stdin: string | Buffer = NOTHING): Streams {
  const input = Buffer.from(stdin as string);
  const written: Record<number, Buffer[]> = { [STDOUT]: [], [STDERR]: [] };
  let position = 0;
  const textOf = (fd: number): string => Buffer.concat(written[fd] ?? []).toString('utf8');
  return {
    read: (into, offset, length) => {
      const count = input.copy(into, offset, position, position + length);
      position += count;
      return count;
    },
    write: (fd, bytes) => void written[fd]?.push(Buffer.from(bytes)),
    texts: () => ({ stdout: textOf(STDOUT), stderr: textOf(STDERR) }),
  };
}

/** The calls on descriptors, of which the first three are the streams of the command: pipes, as a test gives a child. */
function descriptorsOf(streams: Streams): Partial<typeof fs> {
  return {
    readSync: ((fd: number, into: Uint8Array, offset = 0, length = into.length - offset, position = null) =>
      fd === STDIN ? streams.read(into, offset, length) : fs.readSync(fd, into, offset, length, position)) as never,
    writeSync: ((fd: number, bytes: Uint8Array, offset = 0, length = bytes.length - offset) => {
      if (fd !== STDOUT && fd !== STDERR) return fs.writeSync(fd, bytes, offset, length);
      streams.write(fd, bytes.subarray(offset, offset + length));
      return length;
    }) as never,
    fstatSync: ((fd: number) => (fd <= STDERR ? PIPE : fs.fstatSync(fd))) as never,
  };
}

const PIPE = {
  isFile: () => false,
  isDirectory: () => false,
  isSymbolicLink: () => false,
  isCharacterDevice: () => false,
  isFIFO: () => true,
};

/** Children get the working directory and the environment of the command, unless they are given others. */
function childrenFrom({ cwd, env }: Place): Partial<typeof childProcess> {
  const withPlace = (options: SpawnOptions = {}): SpawnOptions => ({ cwd, env, ...options });
  return {
    spawn: ((file: string, args: string[], options?: SpawnOptions) =>
      childProcess.spawn(file, args, withPlace(options))) as never,
    spawnSync: ((file: string, args: string[], options?: SpawnOptions) =>
      childProcess.spawnSync(file, args, withPlace(options) as never)) as never,
    execFileSync: ((file: string, args: string[], options?: SpawnOptions) =>
      childProcess.execFileSync(file, args, withPlace(options) as never)) as never,
  };
}
