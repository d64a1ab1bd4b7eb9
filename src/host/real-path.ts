import { realpathSync } from 'node:fs';

/**
 * realpath(3) also spells each name as the disk has it, where that takes several spellings for one (macOS); what Node does itself
 * leaves it as it was given. On Windows the system would give the path of a share in place of the drive that stands for it.
 */
const resolve = process.platform === 'win32' ? realpathSync : realpathSync.native;

/** The path with all links followed; undefined where nothing is there. */
export function realPathOf(path: string): string | undefined {
  try {
    return resolve(path);
  } catch {
    return undefined;
  }
}
