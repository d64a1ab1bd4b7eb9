import type { Watchdog } from '../host/watchdog.ts';

/** A request to stop waiting: Ctrl-C, SIGTERM, or a closed terminal. */
export interface Interruption extends Disposable {
  readonly signal: AbortSignal;
  /** 128 plus the number of the signal, as in shells; undefined until a signal came. */
  readonly exitCode: number | undefined;
}

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
const SIGNALS = Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[];

/**
 * Handles the signals until it is disposed, so that the command can clean up before it exits. A command that runs users'
 * code passes its watchdog, which hears signals even while that code blocks the thread; until the watchdog has started, a
 * signal ends the process at once.
 */
export function onInterruption(watchdog?: Watchdog): Interruption {
  const controller = new AbortController();
  let exitCode: number | undefined;
  const end = (name: NodeJS.Signals): void => {
    exitCode ??= EXIT_CODES[name as keyof typeof EXIT_CODES];
    controller.abort();
  };
  const hearing = watchdog?.hear(SIGNALS, end);
  if (!hearing) for (const name of SIGNALS) process.on(name, end);
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    [Symbol.dispose]: () => {
      hearing?.[Symbol.dispose]();
      for (const name of SIGNALS) process.off(name, end);
    },
  };
}
