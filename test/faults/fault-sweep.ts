import fs from 'node:fs';
import type { FileSystem } from '../../src/host/file-system.ts';
import { nodeFileSystem } from '../../src/host/node-file-system.ts';
import { isTried } from '../processes/stride.ts';
import { failAt, FAULTS, shortWriteAt, type FaultyFiles } from './faulty-files.ts';

/** The real file system without waiting for the disk, which a fault sweep would do thousands of times. */
export const unsyncedFiles: FileSystem = {
  ...nodeFileSystem,
  fsync: async () => {},
  fdatasync: async () => {},
};

export interface Fault {
  readonly title: string;
  readonly at: (files: FileSystem, n: number) => FaultyFiles;
}

/** Every way in which a step can go wrong without killing: each errno, work done and yet reported failed, short writes. */
export function everyFault(): Fault[] {
  const errors = FAULTS.flatMap((error): Fault[] => [
    { title: error, at: (files, n) => failAt(files, { n, error }) },
    { title: `${error} after the work`, at: (files, n) => failAt(files, { n, error, when: 'after' }) },
    { title: `${error} from then on`, at: (files, n) => failAt(files, { n, error, lasting: true }) },
  ]);
  const short = [0, 1, 40, 'all but 1'].map((bytes) => ({
    title: `short write of ${bytes} bytes`,
    at: (files: FileSystem, n: number) => shortWriteAt(files, { n, bytes: typeof bytes === 'number' ? bytes : -1 }),
  }));
  return [...errors, ...short];
}

/**
 * Runs `program` once for each fault at each of its steps; `program` gets the faulty files and must check all it
 * promises itself. Returns how many runs had a fault in them. Throws, naming fault and step, when a run does.
 */
export async function sweep(
  options: {
    readonly files: FileSystem;
    readonly faults: readonly Fault[];
    readonly stepsMax: number;
    /** Of how many steps one is tried; 1 when not given. */
    readonly stride?: number;
  },
  program: (faulty: FaultyFiles) => Promise<void>,
): Promise<{ readonly runs: number; readonly fired: number }> {
  let runs = 0;
  let fired = 0;
  for (const fault of options.faults) {
    for (let n = 1; ; n++) {
      if (n > options.stepsMax) throw new Error(`the program has more than ${options.stepsMax} steps`);
      if (!isTried(n, options.stride ?? 1)) continue;
      const faulty = fault.at(options.files, n);
      const before = openDescriptors();
      try {
        await program(faulty);
        const leaked = openDescriptors() - before;
        if (leaked > 0) throw new Error(`${leaked} descriptors were left open`);
      } catch (error) {
        throw new Error(`${fault.title} at step ${n}, ${faulty.steps[n - 1]}: ${String(error)}`, { cause: error });
      }
      runs += 1;
      if (faulty.fired) fired += 1;
      if (faulty.steps.length < n) break;
    }
  }
  return { runs, fired };
}

function openDescriptors(): number {
  return fs.readdirSync('/proc/self/fd').length;
}
