const LOOK_EVERY_MS = 10;
/** Only a hang ends here: no machine is that busy. */
const WATCHDOG_MS = 40_000;

/** Waits until the condition holds. Throws, naming the condition, if it never does. */
export async function until(
  what: string | (() => string),
  condition: () => boolean,
  watchdogMs = WATCHDOG_MS,
): Promise<void> {
  const endMs = Date.now() + watchdogMs;
  while (!condition()) {
    if (Date.now() > endMs) throw new Error(`never happened: ${typeof what === 'string' ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
