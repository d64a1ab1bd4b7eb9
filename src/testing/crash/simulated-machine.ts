import { errnoOf, type FileSystem } from '../../host/file-system.ts';
import type { Host } from '../../host/host.ts';
import { isSameProcess, type ProcessIdentity } from '../../host/processes.ts';
import { SimulatedProcess, type MachineOfProcess } from './simulated-process.ts';
import { SimulatedTime } from './simulated-time.ts';
import { SimulatedWatches } from './simulated-watches.ts';

/** Above every pid of a real process (Linux: at most 2²², `pid_max` in proc(5); others have fewer). */
const FIRST_PID = 5_000_000;
const LOCK_STALE_MS = 5_000;
const LOCK_RETRY_MS = 20;

export interface SimulatedMachineOptions {
  /** What the machine stands on: its disk is the real one. */
  readonly host: Host;
  /** Ids, keys and everything else that is random follow from it. */
  readonly seed: string;
  /** What its clock shows first, ms since the epoch. */
  readonly startMs: number;
}

/**
 * A machine in this process on which processes run and are killed, as far as the ports of a host tell. Its disk is the real one.
 * Its time, its random bytes, its processes, locks and watches are its own, so the same seed and the same work give the same bytes
 * on the disk.
 *
 * What a kill here is, in place of a call: that call throws and so does every later one of the process, none of them does
 * anything, its sleeps never end, its watches tell nothing, its descriptors are closed. What it is not: the functions of the
 * process still run to their next call of a port, and what they keep in variables of a module stays there for the next process.
 */
export class SimulatedMachine implements MachineOfProcess {
  readonly time: SimulatedTime;
  readonly watches: SimulatedWatches;
  readonly host: Host;
  readonly seed: string;
  readonly #running: ProcessIdentity[] = [];
  readonly #ended: ProcessIdentity[] = [];

  constructor({ host, seed, startMs }: SimulatedMachineOptions) {
    this.host = host;
    this.seed = seed;
    this.time = new SimulatedTime(host.clock, { startMs });
    this.watches = new SimulatedWatches(this.time);
  }

  /** Starts a process, which does nothing by itself. */
  start(): SimulatedProcess {
    const { bootId, pidNamespace } = this.host.processes.self();
    const number = this.#running.length + this.#ended.length;
    const identity: ProcessIdentity = {
      pid: FIRST_PID + number,
      startTime: String(number + 1),
      bootId,
      ...(pidNamespace === undefined ? {} : { pidNamespace }),
    };
    this.#running.push(identity);
    return new SimulatedProcess(this, { identity, number });
  }

  /** What runs under a pid of this machine, or of the one that it stands on. */
  identify(pid: number): ProcessIdentity | undefined {
    return this.#running.find((one) => one.pid === pid) ?? this.host.processes.identify(pid);
  }

  isAlive(identity: ProcessIdentity): boolean {
    const isIt = (one: ProcessIdentity): boolean => isSameProcess(one, identity);
    return this.#running.some(isIt) || (!this.#ended.some(isIt) && this.host.processes.isAlive(identity));
  }

  /** A process has ended: nothing of it may happen any more. */
  ended(process: SimulatedProcess): void {
    const at = this.#running.findIndex((one) => isSameProcess(one, process.identity));
    if (at >= 0) this.#ended.push(...this.#running.splice(at, 1));
    this.time.forget(process);
    this.watches.forget(process);
  }

  /** As `Lock.smooth`, with what proper-lockfile leaves on the disk: a directory, which a killed process does not remove. */
  async lock(owner: SimulatedProcess, path: string, waitMsMax: number): Promise<() => Promise<void>> {
    const directory = `${path}.lock`;
    const { files } = this.host;
    const endMs = this.time.now() + waitMsMax;
    for (;;) {
      if (this.#hasTaken(directory)) {
        return async () => {
          if (!owner.isDead) removeDirectory(files, directory);
        };
      }
      if (this.time.now() >= endMs) return async () => {};
      await this.time.clockOf(owner).sleep(LOCK_RETRY_MS);
    }
  }

  #hasTaken(directory: string): boolean {
    const { files } = this.host;
    try {
      const facts = files.lstat(directory);
      if (facts && this.time.now() - facts.mtimeMs > LOCK_STALE_MS) removeDirectory(files, directory);
      files.mkdir(directory, 0o777);
      files.utimes(directory, this.time.now());
      return true;
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return false;
    }
  }
}

function removeDirectory(files: FileSystem, path: string): void {
  try {
    files.rmdir(path);
  } catch {
    // Somebody else has found it stale.
  }
}
