import { nextTurn } from '../host/node-clock.ts';
import type { Mailbox } from './mailbox.ts';

/** Wakes a reader when its mailbox may have changed. */
export interface Arrivals {
  /**
   * Resolves at the next hint, after `pollMs` at the latest, or as soon as the signal aborts. A hint since the last
   * call counts.
   */
  next(): Promise<void>;
  /** Gives a hint from another source that has something for the reader. */
  hint(): void;
  close(): void;
}

const REARM_MS = 10_000;

/**
 * A watcher is only a hint; the listing is the truth, so every wait also ends after `pollMs`. The watcher is renewed
 * when the directory was replaced. If no watcher can be had, it only polls, and says so once through `warn`.
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
    // Mail that arrived before the watcher was set is found by listing once more.
    hinted = true;
  };

  // One timer for many waits: setting and cancelling one for each costs more than everything else in waking up.
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
      // A reader that is woken within this turn needs no watcher, for which node spends some ms loading modules.
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
