import { errnoOf, type FileSystem } from './file-system.ts';

/**
 * Delays in ms between attempts of a rename: a scanner or another reader holds a file open for an instant, at most half
 * a second.
 */
const RETRY_MS = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const DENIED = new Set(['EPERM', 'EACCES', 'EBUSY']);

/**
 * Windows with POSIX semantics, as far as possible. A read-only file can be removed. A rename is retried while the file
 * is open elsewhere. A directory, or a file that is open for reading, cannot be flushed (FlushFileBuffers needs write
 * access), so what survives a power loss is up to NTFS.
 */
export function posixOnWindows(files: FileSystem): FileSystem {
  return {
    ...files,
    unlink: (path) => {
      try {
        files.unlink(path);
      } catch (error) {
        if (!DENIED.has(errnoOf(error) ?? '') || files.lstat(path)?.kind !== 'file') throw error;
        files.chmod(path, 0o600);
        files.unlink(path);
      }
    },
    rename: (from, to) => withRetries(() => files.rename(from, to)),
    renameBytes: (from, to) => withRetries(() => files.renameBytes(from, to)),
    fsync: (fd) => files.fsync(fd).catch(passIfDenied),
    fdatasync: (fd) => files.fdatasync(fd).catch(passIfDenied),
  };
}

function withRetries(rename: () => void): void {
  for (const waitMs of RETRY_MS) {
    try {
      return rename();
    } catch (error) {
      if (!DENIED.has(errnoOf(error) ?? '')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, waitMs);
    }
  }
  rename();
}

function passIfDenied(error: unknown): void {
  if (errnoOf(error) !== 'EPERM') throw error;
}
