import { constants } from 'node:fs';
import type { FileSystem } from '../../src/host/file-system.ts';
import type { Copies } from './copies.ts';

/** One actor's file system: other verbs may run before every call, and every change is reported. */
export interface SteppedFiles {
  readonly files: FileSystem;
  /** Calls since `start`, as `rename /path`. */
  readonly steps: readonly string[];
  /** Counts from here on; `comeIn` is called before each step with its number, starting at 1. */
  start(comeIn: (step: number) => void): void;
  stop(): void;
}

type Method = (...args: unknown[]) => unknown;

/** `sending` returns the content that a link by this actor delivers. */
export function stepFiles(options: {
  files: FileSystem;
  copies: Copies;
  by: string;
  sending: () => string;
}): SteppedFiles {
  const { files, copies, by, sending } = options;
  const steps: string[] = [];
  let comeIn: ((step: number) => void) | undefined;

  const tell = (name: string, [first, second]: unknown[]): void => {
    if (name === 'link') copies.created(String(second), sending());
    if (name === 'unlink') copies.removed(String(first), by);
    if (name === 'rename') copies.renamed({ from: String(first), to: String(second), by });
  };
  const pathOfFd = new Map<unknown, string>();
  const methods = new Map<string, Method>();
  const stepped = new Proxy(files, {
    get: (target, name: string) => {
      const known = methods.get(name);
      if (known) return known;
      const perform = Reflect.get(target, name) as Method;
      const method: Method = (...args) => {
        if (comeIn) {
          steps.push(`${name} ${pathOfFd.get(args[0]) ?? describe(name, args)}`);
          comeIn(steps.length);
        }
        const result = Reflect.apply(perform, target, args);
        if (name === 'open') pathOfFd.set(result, String(args[0]));
        tell(name, args);
        return result;
      };
      methods.set(name, method);
      return method;
    },
  });
  return {
    files: stepped,
    steps,
    start: (callback) => {
      steps.length = 0;
      comeIn = callback;
    },
    stop: () => (comeIn = undefined),
  };
}

function describe(name: string, args: unknown[]): string {
  const paths = args.filter((arg) => typeof arg === 'string');
  const creates = name === 'open' && (Number(args[1]) & constants.O_CREAT) !== 0;
  return `${paths.join(' -> ')}${creates ? ' (create)' : ''}`;
}
