import { dirname } from 'node:path';
import type { SimulatedTime } from './simulated-time.ts';

/** A watch for changes: in one directory, or in all below it. */
export interface Watch {
  readonly owner: object;
  readonly path: string;
  readonly isTree: boolean;
  /** As in `Watching.tree`. */
  readonly concerns?: ((directory: string) => boolean) | undefined;
  readonly onHint: (changed: string) => void;
}

/** The watches of a simulated machine, which are told what its processes do to files. */
export class SimulatedWatches {
  readonly #time: SimulatedTime;
  readonly #watches = new Set<Watch>();
  /** What each is told in the next turn. */
  readonly #news = new Map<Watch, Set<string>>();

  constructor(time: SimulatedTime) {
    this.#time = time;
  }

  /** Begins a watch; the returned function ends it. */
  begin(watch: Watch): () => void {
    this.#watches.add(watch);
    return () => void this.#watches.delete(watch);
  }

  /** Ends the watches of an owner. */
  forget(owner: object): void {
    for (const watch of this.#watches) if (watch.owner === owner) this.#watches.delete(watch);
  }

  /** Something lies at this path, lies there no more, or is another: whoever watches is told in the next turn, once. */
  changed(path: string): void {
    const directory = dirname(path);
    for (const watch of this.#watches) {
      if (!isWatched(watch, { path, directory })) continue;
      const news = this.#news.get(watch);
      if (news) {
        news.add(path);
        continue;
      }
      this.#news.set(watch, new Set([path]));
      setImmediate(() => this.#tell(watch));
    }
  }

  #tell(watch: Watch): void {
    const news = this.#news.get(watch) ?? [];
    this.#news.delete(watch);
    for (const path of news) {
      if (!this.#watches.has(watch)) return;
      this.#time.touch();
      watch.onHint(path);
    }
  }
}

function isWatched(watch: Watch, { path, directory }: { readonly path: string; readonly directory: string }): boolean {
  if (!watch.isTree) return directory === watch.path || path === watch.path;
  if (directory !== watch.path && !directory.startsWith(`${watch.path}/`)) return false;
  for (let one = directory; one.length > watch.path.length; one = dirname(one)) {
    if (watch.concerns?.(one) === false) return false;
  }
  return true;
}
