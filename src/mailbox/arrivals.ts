import { nextTurn } from '../host/next-turn.ts';
import type { Mailbox } from './mailbox.ts';

/** Wakes a reader when its mailbox may have changed. */
export interface Arrivals {
  /** Resolves at the next hint, and at the latest after `pollMs`, or as soon as the signal aborts. A hint since the last call counts. */
  next(): Promise<void>;
  /** A hint from whoever else has something for the reader. */
  hint(): void;
  close(): void;
}

const REARM_MS = 10_000;

/**
 * A watcher is a hint and a listing is the truth, so every wait also ends after `pollMs`. The watcher is set anew when
 * the directory was replaced; where no watcher can be had, polling goes on alone, said once through `warn`.
 */
export function watchArrivals(
  mailbox: Mailbox,
  options: { pollMs: number; watch: boolean; signal?: AbortSignal | undefined; warn: (text: string) => void },
): Arrivals {
  const { host, layout } = mailbox;
  const closing = new AbortController();
  let hinted = false;
  let isPolling = false;
  let wake = (): void => {};
  let close = (): void => {};
  let armedInode: number | undefined;
  let failedAtMs: number | undefined;
  let warned = false;
  let hasWaited = false;

  const hint = (): void => {
    hinted = true;
    wake();
  };
  const fail = (reason: string): void => {
    armedInode = undefined;
    failedAtMs = host.clock.now();
    if (warned) return;
    warned = true;
    options.warn(`${layout.new} cannot be watched (${reason}); it is listed every ${options.pollMs} ms instead.`);
  };
  const arm = (): void => {
    if (!options.watch || (failedAtMs !== undefined && host.clock.now() - failedAtMs < REARM_MS)) return;
    const inode = host.files.lstat(layout.new)?.ino;
    if (inode === undefined || inode === armedInode) return;
    close();
    failedAtMs = undefined;
    armedInode = inode;
    close = host.watching.directory(layout.new, hint, fail);
    // What came before the watcher was set is found by looking once more.
    hinted = true;
  };

  // One timer over many waits: to set and cancel one for each costs more than the rest of waking up.
  const poll = async (): Promise<void> => {
    if (isPolling) return;
    isPolling = true;
    await host.clock.sleep(options.pollMs, closing.signal);
    isPolling = false;
    hint();
  };

  options.signal?.addEventListener('abort', hint);
  return {
    next: async () => {
      // A reader that is woken in this turn needs no watcher, for which node loads modules for some ms.
      if (!hasWaited && !hinted) await nextTurn();
      hasWaited = true;
      if (!hinted) arm();
      if (!hinted && !options.signal?.aborted) {
        void poll();
        await new Promise<void>((resolve) => (wake = resolve));
        wake = () => {};
      }
      hinted = false;
    },
    hint,
    close: () => {
      options.signal?.removeEventListener('abort', hint);
      closing.abort();
      close();
    },
  };
}
