/**
 * The port to the file system: one method per system call, so that a test can fail or kill the Nth. Methods throw the
 * system's error, with an errno name such as `ENOENT` as its `code`.
 */
export interface FileSystem {
  /** Opens a file, with the flags of open(2), and returns its descriptor. */
  open(path: string, flags: number, mode?: number): number;
  /** Closes a descriptor. */
  close(fd: number): void;
  /** Returns the number of bytes read, 0 at the end. With `position` null it reads on from the descriptor's own position. */
  read(fd: number, into: Uint8Array, offset: number, length: number, position: number | null): number;
  /** Returns the number of bytes written, which on a full disk can be fewer than asked. */
  write(fd: number, bytes: Uint8Array, offset: number, length: number): number;
  /** Facts about an open file. */
  fstat(fd: number): FileFacts;
  /** Facts about a path, without following a symbolic link; undefined if nothing is there. */
  lstat(path: string): FileFacts | undefined;
  /** The names in a directory, in no order. A name that is not UTF-8 is changed, so that nothing is found under it. */
  readdir(path: string): string[];
  /** The names in a directory as bytes, also those that are not UTF-8. */
  readdirBytes(path: string): Buffer[];
  /** Makes a hard link. Fails with `EEXIST` if the new name is taken. */
  link(existing: string, created: string): void;
  /** Removes a file's name. */
  unlink(path: string): void;
  /** Renames a file or directory, and replaces a file of the new name. */
  rename(from: string, to: string): void;
  /** Renames a file whose name is not UTF-8. */
  renameBytes(from: Buffer, to: string): void;
  /** Makes one directory. */
  mkdir(path: string, mode: number): void;
  /** Removes an empty directory. */
  rmdir(path: string): void;
  /** Sets the access and modification time of a path, in ms since the epoch. */
  utimes(path: string, timeMs: number): void;
  /** Sets the permissions of a path. */
  chmod(path: string, mode: number): void;
  /** The name of the network file system that a path lies on, such as `nfs`; undefined for a local one, or if unknown. */
  networkFileSystem(path: string): string | undefined;
  /** Cuts or extends an open file to a length in bytes. */
  truncate(fd: number, length: number): void;
  /** Resolves when a file's data and metadata, or a directory's names, are on the disk. */
  fsync(fd: number): Promise<void>;
  /** Resolves when a file's data is on the disk. */
  fdatasync(fd: number): Promise<void>;
}

/** What stat(2) says about a file. */
export interface FileFacts {
  /** `device` is a character device, such as a terminal. */
  readonly kind: 'file' | 'directory' | 'symlink' | 'device' | 'other';
  /** Size in bytes. */
  readonly size: number;
  /** When the contents last changed, in ms since the epoch. */
  readonly mtimeMs: number;
  /** The inode number. */
  readonly ino: number;
  /** The file system of the file. A rename or link from one to another fails. */
  readonly dev: number;
  /** How many names the file has. */
  readonly nlink: number;
  /** The id of the user who owns the file. */
  readonly uid: number;
  /** Type and permission bits. */
  readonly mode: number;
}

/** The errno name (`ENOENT` …) of an error thrown by a system call; undefined if it has none. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
