import { RoomRefused } from '../errors.ts';
import type { Host } from '../host/host.ts';

/**
 * The name of the network file system that a directory is on, such as `nfs`; undefined for a local one, or if unknown.
 *
 * @param host The system, such as `nodeHost`.
 * @param directory An existing directory.
 */
export function networkFileSystemOf({ files }: Pick<Host, 'files'>, directory: string): string | undefined {
  return files.networkFileSystem(directory);
}

/** The hint for a room on a network file system. */
export function howToBeLocal(type: string): string {
  const where = type === '9p' ? IN_WSL : '';
  return `${where}Make a room on a local disk: mailroom init --room <directory>.`;
}

const IN_WSL =
  'Under WSL, Windows drives such as /mnt/c are 9p: keep the project in your Linux home, and run Mailroom in WSL. ';

/**
 * Throws `RoomRefused` for a room on a network file system: there, two hosts may both be told that their record counts.
 */
export function assertLocalFileSystem(host: Pick<Host, 'files'>, room: string): void {
  const type = networkFileSystemOf(host, room);
  if (type === undefined) return;
  throw new RoomRefused(
    `The room ${room} is on ${type}, which does not guarantee that two machines see one order of events, so no workflow runs in it.`,
    { hint: `${howToBeLocal(type)} If only this machine uses the room, run it anyway with --force.` },
  );
}
