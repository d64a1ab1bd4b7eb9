import { namesIn, removeIfThere } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import type { Mailbox } from './mailbox.ts';

/**
 * Removes old files that dead senders left in `tmp`; returns how many. Never affects a delivered message: its name in
 * `new` is another link. A live sender whose file is swept stages it again.
 */
export function sweep({ host, layout, limits }: Mailbox): number {
  const abandoned = abandonedIn(host, { directory: layout.tmp, ageMsMax: limits.tmpAgeMsMax });
  return abandoned.filter((path) => isRemoved(host, path)).length;
}

function isRemoved({ files }: Host, path: string): boolean {
  try {
    // Its sender may have finished by now, or another sweep was faster.
    return removeIfThere(files, path);
  } catch {
    // The file only wastes space, and must not keep anyone from their mail.
    return false;
  }
}

/** The files in a directory of staged files that were not touched for longer than `ageMsMax`. */
export function abandonedIn(host: Host, { directory, ageMsMax }: { directory: string; ageMsMax: number }): string[] {
  const before = host.clock.now() - ageMsMax;
  return namesIn(host.files, directory)
    .map((name) => `${directory}/${name}`)
    .filter((path) => {
      const facts = host.files.lstat(path);
      return facts?.kind === 'file' && facts.mtimeMs <= before;
    });
}
