import { constants } from 'node:fs';
import { CHANGES } from '../../host/dying-files.ts';
import type { FileSystem } from '../../host/file-system.ts';
import { removeQuietly } from '../../host/files.ts';
import type { Clock, Host } from '../../host/host.ts';
import { nextTurn } from '../../host/node-clock.ts';
import { nodeCrypto } from '../../host/node-crypto.ts';
import type { ProcessIdentity, Processes } from '../../host/processes.ts';
import type { Stretch } from '../../host/watchdog.ts';
import type { SimulatedTime } from './simulated-time.ts';
import type { SimulatedWatches, Watch } from './simulated-watches.ts';

/** What a port of a process throws once it was killed. */
class SimulatedKill extends Error {
  constructor(port: string) {
    super(`the process was killed: it can no longer ${port}`);
    this.name = 'SimulatedKill';
  }
}

/** Which calls of the file system count as places to be killed at: every one, or those that change something. */
export type SimulatedPlaces = 'every call' | 'changes';

/** What a process needs of the machine that it runs on. */
export interface MachineOfProcess {
  readonly host: Host;
  readonly seed: string;
  readonly time: SimulatedTime;
  readonly watches: SimulatedWatches;
  identify(pid: number): ProcessIdentity | undefined;
  isAlive(identity: ProcessIdentity): boolean;
  lock(owner: SimulatedProcess, path: string, waitMsMax: number): Promise<() => Promise<void>>;
  ended(process: SimulatedProcess): void;
}

type Perform = (...args: unknown[]) => unknown;

/** A process of a simulated machine. */
export class SimulatedProcess {
  readonly identity: ProcessIdentity;
  /** The ports of this process. */
  readonly host: Host;
  /** The calls that counted since `killAt` was said. */
  calls = 0;
  /** The program that it wanted to start, which outlives a process and so is none of a simulation: there it was killed. */
  startedOther: string | undefined;
  readonly #machine: MachineOfProcess;
  readonly #open = new Map<number, string>();
  readonly #notes = new Set<string>();
  #stretchWatches = 0;
  readonly #died: Promise<'killed'>;
  #resolveDied: (died: 'killed') => void = () => {};
  #isDead = false;
  #killAt = 0;
  #places: SimulatedPlaces = 'every call';
  #kill = (): void => this.kill();

  constructor(
    machine: MachineOfProcess,
    { identity, number }: { readonly identity: ProcessIdentity; readonly number: number },
  ) {
    this.#machine = machine;
    this.identity = identity;
    this.#died = new Promise((resolve) => (this.#resolveDied = resolve));
    this.host = {
      files: this.#files(),
      clock: this.#clock(),
      randomBytes: seededBytes(`${machine.seed} ${number}`),
      lock: {
        smooth: (path, { waitMsMax }) => (this.#isDead ? never() : machine.lock(this, path, waitMsMax)),
      },
      processes: this.#processes(),
      watching: this.#watching(),
      watchdog: {
        watch: () => this.#watchStretches(),
        hear: () => this.#watchStretches(),
        during: (stretch, work) => this.#during(stretch, work),
      },
    };
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /**
   * From now on: in place of which call it is killed, the first is 1; 0 only counts. `kill` does it: in a process of which this is
   * all it may be a real SIGKILL. Default: the simulated kill.
   */
  killAt(n: number, places: SimulatedPlaces, kill: () => void = () => this.kill()): void {
    this.calls = 0;
    this.#killAt = n;
    this.#places = places;
    this.#kill = kill;
  }

  /** Kills it at once. */
  kill(): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#machine.ended(this);
    for (const fd of this.#open.keys()) this.#machine.host.files.close(fd);
    this.#open.clear();
    this.#resolveDied('killed');
  }

  /** Does work in it until that is done or the process is killed, and ends it. Throws what the work throws. */
  async run<T>(work: (host: Host) => Promise<T>): Promise<{ readonly value: T } | 'killed'> {
    try {
      const value = work(this.host).then((done) => ({ value: done }));
      return await Promise.race([value, this.#died]);
    } catch (error) {
      if (!this.#isDead) throw error;
      return 'killed';
    } finally {
      this.kill();
      // What still ran has come to its next call by then.
      await nextTurn();
    }
  }

  /** The machine that it runs on, unless it was killed. */
  #alive(what: string): MachineOfProcess {
    if (this.#isDead) throw new SimulatedKill(what);
    this.#machine.time.touch();
    return this.#machine;
  }

  #unlessDead(): Promise<void> {
    return this.#isDead ? never() : Promise.resolve();
  }

  /** What it shows changes nothing, so that a dead process still may look; it sleeps for ever. */
  #clock(): Clock {
    const clock = this.#machine.time.clockOf(this);
    return {
      ...clock,
      sleep: (durationMs, signal) =>
        this.#isDead ? never() : clock.sleep(durationMs, signal).then(() => this.#unlessDead()),
    };
  }

  #files(): FileSystem {
    const { files } = this.#machine.host;
    const ports: Record<string, unknown> = {};
    for (const [name, perform] of Object.entries(files) as [keyof FileSystem, Perform][]) {
      ports[name] = (...args: unknown[]): unknown => {
        // The descriptors of a process that was killed are closed.
        if (name === 'close' && this.#isDead) return undefined;
        this.#alive(name);
        if (this.#places === 'every call' || CHANGES.includes(name)) this.calls += 1;
        if (this.calls === this.#killAt && this.#killAt > 0) this.#kill();
        this.#alive(name);
        // The page cache outlives a process, so what a kill leaves does not depend on a disk; others have a turn meanwhile.
        if (name === 'fsync' || name === 'fdatasync') return nextTurn().then(() => this.#unlessDead());
        const result = perform(...args);
        this.#note(name, args, result);
        return result;
      };
    }
    return ports as unknown as FileSystem;
  }

  /** Keeps what is open, and tells whoever watches of what has changed. */
  #note(name: keyof FileSystem, args: readonly unknown[], result: unknown): void {
    const [first, second] = args;
    switch (name) {
      case 'open':
        this.#open.set(Number(result), String(first));
        if ((Number(second) & constants.O_CREAT) !== 0) this.#machine.watches.changed(String(first));
        return;
      case 'close':
        this.#open.delete(Number(first));
        return;
      case 'write':
      case 'truncate':
        this.#machine.watches.changed(this.#open.get(Number(first)) ?? '');
        return;
      case 'link':
        this.#machine.watches.changed(String(second));
        return;
      case 'rename':
      case 'renameBytes':
        this.#machine.watches.changed(String(first));
        this.#machine.watches.changed(String(second));
        return;
      case 'unlink':
      case 'mkdir':
      case 'rmdir':
        this.#machine.watches.changed(String(first));
        return;
      default:
    }
  }

  #processes(): Processes {
    const machine = this.#machine;
    const { processes } = machine.host;
    const refuse = (file: string): never => {
      this.#alive('start a program');
      this.startedOther = file;
      this.kill();
      throw new SimulatedKill('start a program');
    };
    return {
      ...processes,
      self: () => this.identity,
      identify: (pid) => this.#alive('look at processes').identify(pid),
      isAlive: (identity) => this.#alive('look at processes').isAlive(identity),
      end: () => {
        this.kill();
        throw new SimulatedKill('end');
      },
      run: async (file, args, options) => {
        const isOver = this.#alive('start a program').time.outside();
        const ran = await processes.run(file, args, options).finally(isOver);
        return this.#isDead ? never() : ran;
      },
      startResponder: async (program) => refuse(program),
      startDetached: (file) => refuse(file),
      startSession: async (file) => refuse(file),
      runInto: async (file) => refuse(file),
      signalTree: (tree, options) => {
        this.#alive('send signals');
        return processes.signalTree(tree, options);
      },
    };
  }

  #watching(): Host['watching'] {
    const begin = (watch: Omit<Watch, 'owner'>, fail: (why: string) => void) => {
      const machine = this.#alive('watch');
      if (machine.host.files.lstat(watch.path)) return machine.watches.begin({ ...watch, owner: this });
      fail('ENOENT');
      return () => {};
    };
    return {
      directory: (path, onHint, onFailure) => begin({ path, isTree: false, onHint: () => onHint() }, onFailure),
      tree: async (path, onHint, onFailure, concerns) => {
        const end = begin({ path, isTree: true, concerns, onHint }, onFailure);
        return async () => end();
      },
    };
  }

  /** As the watchdog of Node in its first second: a note that is empty between two stretches, and that a killed process leaves. */
  #watchStretches(): Disposable {
    this.#stretchWatches += 1;
    let isOver = false;
    return {
      [Symbol.dispose]: () => {
        if (isOver) return;
        isOver = true;
        this.#stretchWatches -= 1;
        if (this.#stretchWatches > 0 || this.#isDead) return;
        for (const path of this.#notes) removeQuietly(this.#machine.host.files, path);
        this.#notes.clear();
      },
    };
  }

  /** What a user wrote takes as long as it really takes. */
  #during<T>({ path }: Stretch, work: () => T): T {
    const { time, host } = this.#alive('run what a user wrote');
    if (this.#stretchWatches > 0 && !this.#notes.has(path)) {
      this.#notes.add(path);
      host.files.close(host.files.open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600));
    }
    const result = work();
    if (result instanceof Promise) {
      const isOver = time.outside();
      void result.then(isOver, isOver);
    }
    return result;
  }
}

/** As a process that is gone answers. */
function never(): Promise<never> {
  return new Promise(() => {});
}

/** Bytes that look random and are the same for the same seed. */
export function seededBytes(seed: string): (length: number) => Buffer {
  const { createHash } = nodeCrypto();
  let blocks = 0;
  let rest: Buffer = Buffer.alloc(0);
  return (length) => {
    while (rest.length < length) {
      blocks += 1;
      rest = Buffer.concat([rest, createHash('sha256').update(`${seed} ${blocks}`).digest()]);
    }
    const drawn = rest.subarray(0, length);
    rest = rest.subarray(length);
    return drawn;
  };
}
