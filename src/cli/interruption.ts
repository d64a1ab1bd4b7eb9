/** An end of waiting that somebody asks for with Ctrl-C or SIGTERM. */
export interface Interruption extends Disposable {
  readonly signal: AbortSignal;
  /** 128 and the number of the signal, as shells count; undefined while nobody asked. */
  readonly exitCode: number | undefined;
}

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** Takes the two signals over until it is disposed, so that what was begun can be put in order before the end. */
export function onInterruption(): Interruption {
  const controller = new AbortController();
  let exitCode: number | undefined;
  const end = (name: NodeJS.Signals): void => {
    exitCode ??= name === 'SIGINT' ? EXIT_CODES.SIGINT : EXIT_CODES.SIGTERM;
    controller.abort();
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    [Symbol.dispose]: () => {
      process.off('SIGINT', end);
      process.off('SIGTERM', end);
    },
  };
}
