import { nodeHost } from '../../src/host/node-host.ts';
import type { Host } from '../../src/host/host.ts';
import { SimulatedMachine } from '../../src/testing/crash/simulated-machine.ts';
import type { SimulatedPlaces, SimulatedProcess } from '../../src/testing/crash/simulated-process.ts';

/** A process that was killed in place of call `n`, or came to its end before it. */
export interface Left<T> {
  readonly n: number;
  readonly wasKilled: boolean;
  readonly directory: string;
  /** What it did and what was seen of it until then. */
  readonly seen: T;
}

export interface SimulatedSweep<T> {
  readonly seed: number;
  /** What the clock shows in every run. */
  readonly startMs: number;
  /** Which calls are places to be killed at. */
  readonly places: SimulatedPlaces;
  readonly callsMax: number;
  /** Of how many calls one is tried, beside the first; the seed says which. Default: 1, each. */
  readonly stride?: number;
  /** Makes the directory of a run. */
  readonly directoryFor: (n: number) => string;
  /** What the process does. What it tells of itself, it tells in the returned value, up to the kill. */
  readonly work: (process: KilledProcess, directory: string) => { readonly seen: T; readonly done: Promise<void> };
  readonly check: (left: Left<T>) => Promise<void> | void;
}

export interface KilledProcess {
  readonly host: Host;
  /** From here on calls are counted, and not before. */
  readonly arm: () => void;
  readonly isDead: () => boolean;
}

/**
 * Does the same work in one simulated process after another, the first killed in place of call 1, the next of call 2, and so on,
 * until one comes to its end. With a stride it skips calls. Returns how many were killed.
 */
export async function sweepSimulated<T>(options: SimulatedSweep<T>): Promise<number> {
  const { seed, callsMax, directoryFor, check, stride = 1 } = options;
  let kills = 0;
  for (let n = 1; n <= callsMax; n++) {
    if (n > 1 && (n + seed) % stride !== 0) continue;
    const directory = directoryFor(n);
    try {
      const left = await runKilledAt(options, { n, directory });
      await check(left);
      if (!left.wasKilled) return kills;
      kills += 1;
    } catch (error) {
      throw new Error(`killed in place of call ${n}, seed ${seed}: ${String(error)}`, { cause: error });
    }
  }
  throw new Error(`there are more than ${callsMax} calls`);
}

/** Does the work once in a machine of its own, as far as call `n`; 0 is to its end. */
async function runKilledAt<T>(
  { seed, startMs, places, work }: SimulatedSweep<T>,
  { n, directory }: { readonly n: number; readonly directory: string },
): Promise<Left<T>> {
  const machine = new SimulatedMachine({ host: nodeHost, seed: String(seed), startMs });
  const child: SimulatedProcess = machine.start();
  const arm = (): void => child.killAt(n, places);
  let seen: T | undefined;
  const ran = await child.run((host) => {
    const begun = work({ host, arm, isDead: () => child.isDead }, directory);
    seen = begun.seen;
    return begun.done;
  });
  return { n, wasKilled: ran === 'killed', directory, seen: seen as T };
}
