import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { FileSystem } from '../../src/host/file-system.ts';
import type { RaceOptions } from './chain-race.ts';

const FIXTURE = path.join(import.meta.dirname, '..', '..', 'fixtures', 'crash', 'chain-rival.mjs');
const ANSWER_MS_MAX = 30_000;

export interface Rival {
  /** Appends `count` ones to the chain in the directory, while this thread is blocked. */
  readonly append: (directory: string, options: RaceOptions, count: number) => void;
  readonly end: () => Promise<number>;
}

/**
 * Another writer, in a thread of its own, so that it makes progress even in the middle of a synchronous call of this
 * one.
 */
export function startRival(): Rival {
  const shared = new SharedArrayBuffer(4);
  const done = new Int32Array(shared);
  const worker = new Worker(FIXTURE, { workerData: shared });
  return {
    append: (directory, options, count) => {
      Atomics.store(done, 0, 0);
      worker.postMessage({ directory, options, count }, []);
      const end = Date.now() + ANSWER_MS_MAX;
      // The wake-up of the previous answer may come only now, so being awake proves nothing.
      while (Atomics.load(done, 0) === 0 && Date.now() < end) Atomics.wait(done, 0, 0, end - Date.now());
      if (Atomics.load(done, 0) !== 1) throw new Error('the rival failed, see what it printed');
    },
    end: () => worker.terminate(),
  };
}

/** A file system that pauses before the given steps, each time until `meanwhile` has happened. */
export function interrupted(
  files: FileSystem,
  before: readonly number[],
  meanwhile: () => void,
): { readonly files: FileSystem; readonly steps: () => number } {
  let step = 0;
  const wrapped = new Proxy(files, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return (...args: unknown[]): unknown => {
        step += 1;
        if (before.includes(step)) meanwhile();
        return Reflect.apply(method, target, args);
      };
    },
  });
  return { files: wrapped, steps: () => step };
}
