import type { FileSystem } from './file-system.ts';

/** The calls that change something. A kill between two other calls equals a kill before the next of these. */
export const CHANGES: readonly (keyof FileSystem)[] = [
  'write',
  'link',
  'unlink',
  'rename',
  'renameBytes',
  'mkdir',
  'rmdir',
  'truncate',
  'fsync',
  'fdatasync',
];

/**
 * A file system whose process dies by SIGKILL instead of the `n`th call that changes something; with 0 it only counts.
 * For crash tests.
 */
export function dyingFiles(
  files: FileSystem,
  n: number,
): { readonly files: FileSystem; readonly changes: () => number } {
  let changes = 0;
  const wrapped: Record<string, unknown> = { ...files };
  for (const name of CHANGES) {
    const perform = files[name] as (...args: unknown[]) => unknown;
    wrapped[name] = (...args: unknown[]): unknown => {
      changes += 1;
      if (changes === n) killSelf();
      return perform(...args);
    };
  }
  return { files: wrapped as unknown as FileSystem, changes: () => changes };
}

/** Ends this process as a kill does. */
export function killSelf(): never {
  process.kill(process.pid, 'SIGKILL');
  // The signal arrives at once; nothing of this process may run until then.
  for (;;);
}
