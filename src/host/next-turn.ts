/** Resolves once everything that is ready to run has run, and events that arrived meanwhile have been handled. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
