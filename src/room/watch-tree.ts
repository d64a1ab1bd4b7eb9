import type { Host } from '../host/host.ts';

/** Wakes whoever waits for something to happen below a directory. */
export interface TreeChanges {
  /** Resolves at the next hint, and at the latest after `pollMs`, or when the signal aborts. A hint since the last call counts. */
  next(): Promise<void>;
  close(): Promise<void>;
}

/** Hints of a whole tree; where none can be had, polling goes on alone, said once through `warn`. */
export async function watchTree(
  host: Host,
  options: { path: string; pollMs: number; signal: AbortSignal; warn: (text: string) => void },
): Promise<TreeChanges> {
  const { path, pollMs, signal, warn } = options;
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
