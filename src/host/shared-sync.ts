import type { FileSystem } from './file-system.ts';
import { syncDirectory } from './files.ts';

/** Syncs directories for many callers at once. */
export interface SharedSync {
  /** Resolves once the directory was synced by a call that began after this one. */
  directory(path: string): Promise<void>;
}

/**
 * A sync in progress may have missed the caller's change, so callers that arrive meanwhile wait for the next one, and
 * share it.
 */
export function createSharedSync(files: FileSystem): SharedSync {
  const underWay = new Map<string, Promise<void>>();
  const waiting = new Map<string, Promise<void>>();

  const begin = (path: string): Promise<void> => {
    const sync = syncDirectory(files, path).finally(() => underWay.delete(path));
    underWay.set(path, sync);
    return sync;
  };

  return {
    directory: (path) => {
      const current = underWay.get(path);
      if (!current) return begin(path);
      let next = waiting.get(path);
      if (!next) {
        next = current
          .catch(() => {})
          .then(() => {
            waiting.delete(path);
            return begin(path);
          });
        waiting.set(path, next);
      }
      return next;
    },
  };
}
