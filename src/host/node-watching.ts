import { watch, type FSWatcher } from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoOf } from './file-system.ts';
import type { Watching } from './host.ts';

/**
 * What the system can do: FSEvents on macOS and ReadDirectoryChangesW on Windows watch a whole tree with one handle.
 * Elsewhere each directory is watched by itself, which also reports the files in it.
 */
export function watchingOn(platform: NodeJS.Platform): Watching {
  const isTreeWatched = platform === 'darwin' || platform === 'win32';
  return { directory: watchDirectory, tree: isTreeWatched ? watchWholeTree : watchEachDirectory };
}

const watchDirectory: Watching['directory'] = (path, onHint, onFailure) =>
  watchPath(path, { persistent: true }, { onHint, onFailure });

const watchWholeTree: Watching['tree'] = async (path, onHint, onFailure, concerns = () => true) => {
  const isToldOf = (changed: string): boolean => {
    const directory = dirname(changed);
    return directory === path || concerns(directory);
  };
  const hint = (_event: string, name: string | null): void => {
    // Without a name it may be anything.
    const changed = name === null ? path : join(path, name);
    if (name === null || isToldOf(changed)) onHint(changed);
  };
  const close = watchPath(path, { persistent: false, recursive: true }, { onHint: hint, onFailure });
  return async () => close();
};

function watchPath(
  path: string,
  options: { persistent: boolean; recursive?: boolean },
  { onHint, onFailure }: { onHint: (event: string, name: string | null) => void; onFailure: (reason: string) => void },
): () => void {
  let watcher: FSWatcher;
  try {
    watcher = watch(path, options, onHint);
  } catch (error) {
    onFailure(errnoOf(error) ?? String(error));
    return () => {};
  }
  watcher.on('error', (error) => {
    watcher.close();
    onFailure(errnoOf(error) ?? String(error));
  });
  return () => watcher.close();
}

const watchEachDirectory: Watching['tree'] = async (path, onHint, onFailure, concerns = () => true) => {
  const chokidar = await import('chokidar');
  const watcher = chokidar.watch(path, {
    // chokidar adds a watch for every file it knows, and a mailbox may hold ten thousand.
    ignored: (one, stats) => (stats !== undefined && !stats.isDirectory()) || (one !== path && !concerns(one)),
    ignoreInitial: true,
    followSymlinks: false,
    // Waiting callers have a timer. A persistent watcher that is closed while the tree is removed and recreated may
    // keep handles for ever.
    persistent: false,
  });
  // The system's event about a directory, before chokidar looks it up among the known files.
  watcher.on('raw', (_event, name, details) => {
    const { watchedPath } = details as { readonly watchedPath?: string };
    // With CHOKIDAR_USEPOLLING in the environment chokidar polls, and reports only the path of the directory.
    if (watchedPath === undefined) onHint(name);
    else onHint(name ? join(watchedPath, name) : watchedPath);
  });
  // A new directory was filled before it was watched.
  watcher.on('all', (_event, changed) => onHint(changed));
  // If the system has no more watches, each remaining directory reports an error.
  watcher.once('error', (error) => {
    watcher.on('error', () => {});
    onFailure(errnoOf(error) ?? String(error));
  });
  return () => watcher.close();
};

export const nodeWatching: Watching = watchingOn(process.platform);
