import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system in memory, on Linux. */
const MEMORY = '/dev/shm';

/** A new directory of its own, and a function that removes it with its content. */
export function makeTemporaryDirectory(
  prefix: string,
  { inMemory = false }: { readonly inMemory?: boolean } = {},
): { readonly path: string; readonly remove: () => void } {
  const path = (inMemory ? makeIn(MEMORY, prefix) : undefined) ?? mkdtempSync(join(tmpdir(), prefix));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Undefined if no such directory can be made. */
function makeIn(directory: string, prefix: string): string | undefined {
  try {
    return mkdtempSync(join(directory, prefix));
  } catch {
    return undefined;
  }
}
