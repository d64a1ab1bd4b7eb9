import fs from 'node:fs';
import { errnoOf, type FileFacts, type FileSystem } from './file-system.ts';

/**
 * The real file system. Calls that stay in the page cache are synchronous, because the asynchronous ones cost
 * 8 to 12 times as much; the two that wait for a disk are not.
 */
export const nodeFileSystem: FileSystem = {
  open: (path, flags, mode) => fs.openSync(path, flags, mode),
  close: (fd) => fs.closeSync(fd),
  read: (fd, into, offset, length, position) => fs.readSync(fd, into, offset, length, position),
  write: (fd, bytes, offset, length) => fs.writeSync(fd, bytes, offset, length),
  fstat: (fd) => factsOf(fs.fstatSync(fd)),
  lstat: (path) => {
    try {
      const stats = fs.lstatSync(path, { throwIfNoEntry: false });
      return stats && factsOf(stats);
    } catch (error) {
      // Something else lies where a directory on the way belongs, so nothing is at this path.
      if (errnoOf(error) === 'ENOTDIR' || errnoOf(error) === 'ELOOP') return undefined;
      throw error;
    }
  },
  readdir: (path) => fs.readdirSync(path),
  link: (existing, created) => fs.linkSync(existing, created),
  unlink: (path) => fs.unlinkSync(path),
  rename: (from, to) => fs.renameSync(from, to),
  mkdir: (path, mode) => {
    fs.mkdirSync(path, { mode });
  },
  rmdir: (path) => fs.rmdirSync(path),
  utimes: (path, timeMs) => fs.utimesSync(path, timeMs / 1000, timeMs / 1000),
  chmod: (path, mode) => fs.chmodSync(path, mode),
  fileSystemType: (path) => (process.platform === 'linux' ? fs.statfsSync(path).type : 0),
  truncate: (fd, length) => fs.ftruncateSync(fd, length),
  fsync: (fd) => new Promise((resolve, reject) => fs.fsync(fd, (error) => (error ? reject(error) : resolve()))),
  fdatasync: (fd) => new Promise((resolve, reject) => fs.fdatasync(fd, (error) => (error ? reject(error) : resolve()))),
};

function factsOf(stats: fs.Stats): FileFacts {
  return {
    kind: kindOf(stats),
    size: stats.size,
    mtimeMs: stats.mtimeMs,
    ino: stats.ino,
    nlink: stats.nlink,
    uid: stats.uid,
    mode: stats.mode,
  };
}

function kindOf(stats: fs.Stats): FileFacts['kind'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'symlink' : 'other';
}
