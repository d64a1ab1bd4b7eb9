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
  link(existing: string, created: string): void;
  unlink(path: string): void;
  rename(from: string, to: string): void;
  mkdir(path: string, mode: number): void;
  rmdir(path: string): void;
  /** Sets both times of a path, in ms since the epoch. */
  utimes(path: string, timeMs: number): void;
  /** Sets the permissions of a path. */
  chmod(path: string, mode: number): void;
  /** The kind of file system a path lies on, as statfs(2) numbers them; 0 where the system does not tell. */
  fileSystemType(path: string): number;
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
  readonly nlink: number;
  readonly uid: number;
  readonly mode: number;
}

/** The errno name (`ENOENT` …) of an error thrown by a system call, if it carries one. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
