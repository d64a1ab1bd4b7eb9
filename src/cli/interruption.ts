import type { Watchdog } from '../host/watchdog.ts';

/** Someone asks a command to stop waiting: Ctrl-C, SIGTERM, or the terminal was closed. */
export interface Interruption extends Disposable {
  readonly signal: AbortSignal;
  /** 128 and the number of the signal, as shells count; undefined while nobody asked. */
  readonly exitCode: number | undefined;
}

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
const SIGNALS = Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[];

/**
 * Handles the signals until it is disposed, so that the command can leave everything in order before it exits. One that runs
 * what users wrote gives its watchdog: until that is there, a signal ends it at once.
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
