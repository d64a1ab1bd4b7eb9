import type { FileSystem } from '../../src/host/file-system.ts';

/** The faults that every protocol is tried with at every step. */
export const FAULTS = ['ENOSPC', 'EIO', 'EACCES', 'EMFILE', 'EROFS', 'EXDEV'] as const;

/**
 * A file system in which one numbered step goes wrong. Every call through the port is one step, the first is 1.
 * To die in place of a step is for programs of their own on built code: fixtures/crash/kill-at.mjs.
 */
export interface FaultyFiles {
  readonly files: FileSystem;
  /** Every step so far, as `open /path` or `write /path`; the longest run of a program has this many steps. */
  readonly steps: readonly string[];
  /** Whether the fault happened; if not, the program has fewer steps, or that step is no write. */
  readonly fired: boolean;
}

interface Step {
  readonly n: number;
  readonly name: string;
  readonly args: unknown[];
  readonly path: string;
}

type Perform = (...args: unknown[]) => unknown;

/** Nothing goes wrong; how many steps there are, and which. */
export function countCalls(files: FileSystem): FaultyFiles {
  return intercept(files, (step, perform) => ({ result: perform(...step.args), fired: false }));
}

/**
 * Step `n` throws `error` (an errno name) in place of doing its work. With `when: 'after'` the work is done and
 * reported as failed, as after a lost reply; with `lasting` every later step fails too, like a disk that stays full.
 */
export function failAt(
  files: FileSystem,
  fault: {
    readonly n: number;
    readonly error: string;
    readonly when?: 'instead' | 'after';
    readonly lasting?: boolean;
  },
): FaultyFiles {
  return intercept(files, (step, perform) => {
    const fails = step.n === fault.n || (fault.lasting === true && step.n > fault.n);
    if (!fails) return { result: perform(...step.args), fired: false };
    const error = systemError(fault.error, step);
    const isAsync = step.name === 'fsync' || step.name === 'fdatasync';
    // A close that fails has still given the descriptor back, as on Linux.
    const performs = fault.when === 'after' || step.name === 'close';
    const done = performs ? perform(...step.args) : undefined;
    // An open that fails leaves no descriptor, though it may have made the file.
    if (step.name === 'open' && typeof done === 'number') files.close(done);
    if (isAsync) return { result: Promise.resolve(done).then(() => Promise.reject(error)), fired: true };
    return { error, fired: true };
  });
}

/**
 * Step `n`, if it is a write, writes only `bytes` bytes and reports no error: half of them when not given, counted
 * from the end when negative.
 */
export function shortWriteAt(files: FileSystem, fault: { readonly n: number; readonly bytes?: number }): FaultyFiles {
  return intercept(files, (step, perform) => {
    if (step.n !== fault.n || step.name !== 'write') return { result: perform(...step.args), fired: false };
    const [fd, bytes, offset, length] = step.args;
    const asked = Number(length);
    const wanted = fault.bytes ?? Math.floor(asked / 2);
    const short = Math.min(asked, Math.max(0, wanted < 0 ? asked + wanted : wanted));
    return { result: short === 0 ? 0 : perform(fd, bytes, offset, short), fired: true };
  });
}

/** A system error as Node makes it, so that code which looks at `code` cannot tell it from a real one. */
export function systemError(code: string, step: { readonly name: string; readonly path: string }): Error {
  return Object.assign(new Error(`${code}: injected, ${step.name} '${step.path}'`), { code, syscall: step.name });
}

type Outcome = { readonly fired: boolean } & ({ readonly result: unknown } | { readonly error: Error });

function intercept(files: FileSystem, act: (step: Step, perform: Perform) => Outcome): FaultyFiles {
  const steps: string[] = [];
  const pathOfFd = new Map<unknown, string>();
  let fired = false;
  const wrapped = new Proxy(files, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function' || typeof name !== 'string') return method;
      return (...args: unknown[]): unknown => {
        const path = typeof args[0] === 'string' ? args[0] : (pathOfFd.get(args[0]) ?? `fd ${String(args[0])}`);
        steps.push(`${name} ${path}`);
        const step: Step = { n: steps.length, name, args, path };
        const outcome = act(step, (...given) => {
          const result: unknown = Reflect.apply(method, target, given);
          if (name === 'open') pathOfFd.set(result, path);
          return result;
        });
        fired ||= outcome.fired;
        if ('error' in outcome) throw outcome.error;
        return outcome.result;
      };
    },
  });
  return {
    files: wrapped,
    steps,
    get fired() {
      return fired;
    },
  };
}
