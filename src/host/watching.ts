/** A hint that a directory changed. It may be late, missing or repeated; a listing is the truth. */
export interface Watching {
  /**
   * Calls `onHint` when something may have changed in the one directory. `onFailure` is called once if no hints will
   * come (too many watches, no inotify, the directory went away): poll from then on, and watch again after a while.
   */
  directory(path: string, onHint: () => void, onFailure: (reason: string) => void): () => void;
  /**
   * The same for a whole tree, with the path that changed. `concerns` is asked of each directory below, and where it says no,
   * nothing in that directory or below it needs to be told. Watching costs something for each directory, never for each file.
   */
  tree(
    path: string,
    onHint: (changed: string) => void,
    onFailure: (reason: string) => void,
    concerns?: (directory: string) => boolean,
  ): Promise<() => Promise<void>>;
}
