import { relative, sep } from 'node:path';
import type { Host } from '../host/host.ts';

/** Wakes whoever waits for something to happen below a directory. */
export interface TreeChanges {
  /** Resolves at the next hint, and at the latest after `pollMs`, or when the signal aborts. A hint since the last call counts. */
  next(): Promise<void>;
  close(): Promise<void>;
}

export interface WatchTreeOptions {
  readonly path: string;
  /** Which directories matter in each one below `path`, such as `mailbox/new` in that of an actor; all of them when not given. */
  readonly inEach?: readonly string[];
  readonly pollMs: number;
  readonly signal: AbortSignal;
  readonly warn: (text: string) => void;
}

/** Hints of a whole tree; where none can be had, polling goes on alone, said once through `warn`. */
export async function watchTree(host: Host, options: WatchTreeOptions): Promise<TreeChanges> {
  const { path, inEach, pollMs, signal, warn } = options;
  let hinted = false;
  let wake = (): void => {};
  let warned = false;
  const close = await host.watching.tree(
    path,
    () => {
      hinted = true;
      wake();
    },
    (reason) => {
      if (warned) return;
      warned = true;
      warn(`${path} cannot be watched (${reason}); it is listed every ${pollMs} ms instead.`);
    },
    inEach && ((directory) => matters(relative(path, directory).split(sep).slice(1).join('/'), inEach)),
  );
  return {
    next: async () => {
      if (!hinted && !signal.aborted) {
        const woken = new AbortController();
        wake = () => woken.abort();
        signal.addEventListener('abort', wake, { once: true });
        await host.clock.sleep(pollMs, woken.signal);
        signal.removeEventListener('abort', wake);
        wake = () => {};
      }
      hinted = false;
    },
    close,
  };
}

/** Whether a directory, named within that of an actor, is one of these or on the way to one. */
function matters(directory: string, these: readonly string[]): boolean {
  return directory === '' || these.some((one) => one === directory || one.startsWith(`${directory}/`));
}
