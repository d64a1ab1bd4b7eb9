import { RoomRefused } from '../errors.ts';
import type { Host } from '../host/host.ts';

/** The name of the network file system that a directory lies on; undefined when it lies on a local one, or nobody can tell. */
export function networkFileSystemOf({ files }: Pick<Host, 'files'>, directory: string): string | undefined {
  return files.networkFileSystem(directory);
}

/** What to do about a room on a network file system. */
export function howToBeLocal(type: string): string {
  const where = type === '9p' ? IN_WSL : '';
  return `${where}Make a room on a local disk: mailroom init --room <directory>.`;
}

const IN_WSL =
  'Under WSL, Windows drives such as /mnt/c are 9p: keep the project in your Linux home, and run Mailroom in WSL. ';

/** Throws `RoomRefused` for a room on a network file system: there, two hosts may both be told that their record counts. */
export function assertLocalFileSystem(host: Pick<Host, 'files'>, room: string): void {
  const type = networkFileSystemOf(host, room);
  if (type === undefined) return;
  throw new RoomRefused(
    `The room ${room} lies on ${type}, where nobody promises that two machines see one order of events, so no workflow is run in it.`,
    { hint: `${howToBeLocal(type)} If only this machine uses the room, run it all the same with --force.` },
  );
}
