import { watch, type FSWatcher } from 'node:fs';
import { errnoOf } from './file-system.ts';
import type { Watching } from './watching.ts';

export const nodeWatching: Watching = {
  directory: (path, onHint, onFailure) => {
    let watcher: FSWatcher;
    try {
      watcher = watch(path, { persistent: true }, onHint);
    } catch (error) {
      onFailure(errnoOf(error) ?? String(error));
      return () => {};
    }
    watcher.on('error', (error) => {
      watcher.close();
      onFailure(errnoOf(error) ?? String(error));
    });
    return () => watcher.close();
  },
  tree: async (path, onHint, onFailure) => {
    const chokidar = await import('chokidar');
    // Whoever waits has a timer. A watcher that is closed while the tree is removed and made anew may keep handles for ever.
    const watcher = chokidar.watch(path, { ignoreInitial: true, followSymlinks: false, persistent: false });
    watcher.on('all', (_event, changed) => onHint(changed));
    watcher.on('error', (error) => onFailure(errnoOf(error) ?? String(error)));
    return () => watcher.close();
  },
};
