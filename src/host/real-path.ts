import { realpathSync } from 'node:fs';

/**
 * realpath(3) also spells each name as the disk does, where the disk accepts several spellings (macOS); Node's own
 * version keeps the given one. On Windows the system would return the path of a share instead of the drive that stands
 * for it.
 */
const resolve = process.platform === 'win32' ? realpathSync : realpathSync.native;

/** The path with all links followed; undefined if nothing is there. */
export function realPathOf(path: string): string | undefined {
  try {
    return resolve(path);
  } catch {
    return undefined;
  }
}
