// By name: for a module that is imported whole, a bundle copies all its properties at each start.
import {
  chmodSync,
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  readdirSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  utimesSync,
  writeSync,
  type Stats,
} from 'node:fs';
import { errnoOf, type FileFacts, type FileSystem } from './file-system.ts';
import { networkFileSystemAt } from './network-file-system.ts';
import { posixOnWindows } from './windows-file-system.ts';

/**
 * Something other than a directory is on the way, or the path itself is invalid: too long, or with a NUL, for which
 * Node has an error of its own.
 */
const NOTHING_THERE = new Set(['ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'ERR_INVALID_ARG_VALUE']);

/**
 * The system's own calls. Those that stay in the page cache are synchronous, because the asynchronous ones cost 8 to 12
 * times as much; the two that wait for a disk are not.
 */
const systemCalls: FileSystem = {
  open: (path, flags, mode) => openSync(path, flags, mode),
  close: (fd) => closeSync(fd),
  read: (fd, into, offset, length, position) => readSync(fd, into, offset, length, position),
  write: (fd, bytes, offset, length) => writeSync(fd, bytes, offset, length),
  fstat: (fd) => factsOf(fstatSync(fd)),
  lstat: (path) => {
    try {
      const stats = lstatSync(path, { throwIfNoEntry: false });
      return stats && factsOf(stats);
    } catch (error) {
      if (NOTHING_THERE.has(errnoOf(error) ?? '')) return undefined;
      throw error;
    }
  },
  readdir: (path) => readdirSync(path),
  readdirBytes: (path) => readdirSync(path, 'buffer'),
  link: (existing, created) => linkSync(existing, created),
  unlink: (path) => unlinkSync(path),
  rename: (from, to) => renameSync(from, to),
  renameBytes: (from, to) => renameSync(from, to),
  mkdir: (path, mode) => {
    mkdirSync(path, { mode });
  },
  rmdir: (path) => rmdirSync(path),
  utimes: (path, timeMs) => utimesSync(path, timeMs / 1000, timeMs / 1000),
  chmod: (path, mode) => chmodSync(path, mode),
  networkFileSystem: networkFileSystemAt,
  truncate: (fd, length) => ftruncateSync(fd, length),
  fsync: (fd) => new Promise((resolve, reject) => fsync(fd, (error) => (error ? reject(error) : resolve()))),
  fdatasync: (fd) => new Promise((resolve, reject) => fdatasync(fd, (error) => (error ? reject(error) : resolve()))),
};

const asPosix = process.platform === 'win32' ? posixOnWindows : (files: FileSystem): FileSystem => files;

/** The real file system. */
export const nodeFileSystem: FileSystem = asPosix(systemCalls);

/**
 * The same for a process that does one thing at a time: it blocks on the disk itself, which is faster than having
 * threads wait.
 */
export const blockingFileSystem: FileSystem = asPosix({
  ...systemCalls,
  fsync: async (fd) => fsyncSync(fd),
  fdatasync: async (fd) => fdatasyncSync(fd),
});

function factsOf(stats: Stats): FileFacts {
  return {
    kind: kindOf(stats),
    size: stats.size,
    mtimeMs: stats.mtimeMs,
    ino: stats.ino,
    dev: stats.dev,
    nlink: stats.nlink,
    uid: stats.uid,
    mode: stats.mode,
  };
}

function kindOf(stats: Stats): FileFacts['kind'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'symlink';
  return stats.isCharacterDevice() ? 'device' : 'other';
}
