import { RoomRefused } from '../errors.ts';
import type { Host } from '../host/host.ts';

/** statfs(2), f_type, of file systems that are on another machine or hide which one they are on. */
const NETWORK_TYPES: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x01021997, '9p'],
  [0x5346414f, 'AFS'],
  [0x00c36400, 'Ceph'],
  [0x65735546, 'FUSE'],
  [0x0bd00bd0, 'Lustre'],
]);

/** The name of the network file system that a directory lies on; undefined when it lies on a local one, or nobody can tell. */
export function networkFileSystemOf({ files }: Pick<Host, 'files'>, directory: string): string | undefined {
  return NETWORK_TYPES.get(files.fileSystemType(directory) >>> 0);
}

/** Throws `RoomRefused` for a room on a network file system: there, two hosts may both be told that their record counts. */
export function assertLocalFileSystem(host: Pick<Host, 'files'>, room: string): void {
  const type = networkFileSystemOf(host, room);
  if (type === undefined) return;
  throw new RoomRefused(
    `The room ${room} lies on ${type}, where nobody promises that two machines see one order of events, so no workflow is run in it.`,
    {
      hint:
        'Make a room on a local disk: mailroom init --room <directory>. ' +
        'If only this machine uses the room, run it all the same with --force.',
    },
  );
}
