/** Resolves when all has run that waits for nothing but its turn, and what has come in meanwhile gets its own. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
