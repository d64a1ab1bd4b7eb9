/** Waits for all of them, so that none still uses what the caller closes, then throws what the first of them failed with. */
export async function allOrThrow(works: readonly Promise<unknown>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(works)) if (outcome.status === 'rejected') throw outcome.reason;
}
