import { errnoOf } from '../host/file-system.ts';
import { removeQuietly } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { namesIn } from '../host/names-in.ts';
import type { RoomLayout } from '../message/layout.ts';

const ROTATED = /^agent_messages\.\d{4}-\d\d-\d\dT[\d.-]+Z\.[0-9a-f]{8}\.log$/;

/** Sets the log aside under a name of its own, unless somebody else has just done so, and removes the oldest beyond those kept. */
export function rotate(host: Host, options: { layout: RoomLayout; logFilesKept: number; inode: number }): void {
  const { files, clock, randomBytes } = host;
  const { layout, logFilesKept, inode } = options;
  if (files.lstat(layout.log)?.ino !== inode) return;
  const time = new Date(clock.now()).toISOString().replaceAll(':', '-');
  const aside = `agent_messages.${time}.${randomBytes(4).toString('hex')}.log`;
  try {
    files.rename(layout.log, `${layout.logDirectory}/${aside}`);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  for (const name of rotatedLogs(host, layout).slice(0, -logFilesKept)) {
    removeQuietly(files, `${layout.logDirectory}/${name}`);
  }
}

/** The names of the logs set aside, oldest first. */
export function rotatedLogs({ files }: Host, layout: RoomLayout): string[] {
  return namesIn(files, layout.logDirectory)
    .filter((name) => ROTATED.test(name))
    .sort();
}
