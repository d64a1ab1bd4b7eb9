/** What Mailroom asks of a file system: one method a system call, so that a test can fail or kill at the Nth. */
export interface FileSystem {
  open(path: string, flags: number, mode?: number): number;
  close(fd: number): void;
  /** Bytes read, 0 at the end; `position` null reads on from the descriptor's own. */
  read(fd: number, into: Uint8Array, offset: number, length: number, position: number | null): number;
  /** Bytes written; may be fewer than asked, without an error, on a full disk. */
  write(fd: number, bytes: Uint8Array, offset: number, length: number): number;
  fstat(fd: number): FileFacts;
  /** Facts of the path itself, links not followed; undefined when nothing is there. */
  lstat(path: string): FileFacts | undefined;
  readdir(path: string): string[];
  /** The same, as the bytes that the names are: in a `readdir`, a name that is no UTF-8 is one under which nothing is found. */
  readdirBytes(path: string): Buffer[];
  link(existing: string, created: string): void;
  unlink(path: string): void;
  rename(from: string, to: string): void;
  /** The same for a name that is no UTF-8. */
  renameBytes(from: Buffer, to: string): void;
  mkdir(path: string, mode: number): void;
  rmdir(path: string): void;
  /** Sets both times of a path, in ms since the epoch. */
  utimes(path: string, timeMs: number): void;
  /** Sets the permissions of a path. */
  chmod(path: string, mode: number): void;
  /** The name of the network file system a path lies on, such as NFS; undefined for a local one, and where the system does not tell. */
  networkFileSystem(path: string): string | undefined;
  truncate(fd: number, length: number): void;
  fsync(fd: number): Promise<void>;
  fdatasync(fd: number): Promise<void>;
}

export interface FileFacts {
  /** A `device` is a character device, such as a terminal. */
  readonly kind: 'file' | 'directory' | 'symlink' | 'device' | 'other';
  readonly size: number;
  readonly mtimeMs: number;
  readonly ino: number;
  /** The file system it lies on: a rename or link between two of them fails. */
  readonly dev: number;
  readonly nlink: number;
  readonly uid: number;
  readonly mode: number;
}

/** The errno name (`ENOENT` …) of an error thrown by a system call, if it carries one. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
