import { constants } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf, type FileSystem } from './file-system.ts';

const OPEN_CREATE = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW;
/** NONBLOCK, so that a FIFO or device in place of a file cannot hang the reader. */
const OPEN_READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Writes every byte: a single write may be short without an error, and then the next one says why. */
function writeAll(files: FileSystem, fd: number, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) {
    const count = files.write(fd, bytes, written, bytes.length - written);
    if (count === 0) throw Object.assign(new Error('ENOSPC: nothing more could be written'), { code: 'ENOSPC' });
    written += count;
  }
}

/**
 * Creates a file that must not exist yet and writes it completely; the caller closes nothing. Throws the system call's
 * error.
 */
export function createFile(files: FileSystem, path: string, bytes: Uint8Array, mode: number): void {
  const fd = files.open(path, OPEN_CREATE, mode);
  try {
    writeAll(files, fd, bytes);
  } finally {
    files.close(fd);
  }
}

/** The same, with the bytes on disk when it resolves. */
export async function createFileSynced(
  files: FileSystem,
  path: string,
  bytes: Uint8Array,
  mode: number,
): Promise<void> {
  const fd = files.open(path, OPEN_CREATE, mode);
  try {
    writeAll(files, fd, bytes);
    await files.fsync(fd);
  } finally {
    files.close(fd);
  }
}

export type BoundedRead = { readonly bytes: Buffer; readonly mtimeMs: number } | { readonly unreadable: string };

/**
 * Reads a regular file of at most `bytesMax` bytes without following links and without ever blocking. If something is
 * wrong with the file itself, says so in one phrase. Throws ENOENT, because a missing file is the caller's business,
 * and errors that only say that the system cannot read right now: the file may be fine.
 */
export function readBounded(files: FileSystem, path: string, bytesMax: number): BoundedRead {
  let fd: number;
  try {
    fd = files.open(path, OPEN_READ);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || !isFaultOfFile(files, path, error)) throw error;
    return { unreadable: `it cannot be opened (${errnoOf(error) ?? 'no errno'})` };
  }
  try {
    const facts = files.fstat(fd);
    if (facts.kind !== 'file') return { unreadable: `it is not a regular file (${facts.kind})` };
    if (facts.size > bytesMax) return { unreadable: `it has ${facts.size} bytes, the limit is ${bytesMax}` };
    const bytes = Buffer.allocUnsafe(facts.size);
    let length = 0;
    while (length < facts.size) {
      const count = files.read(fd, bytes, length, facts.size - length, length);
      if (count === 0) break;
      length += count;
    }
    return { bytes: length === facts.size ? bytes : bytes.subarray(0, length), mtimeMs: facts.mtimeMs };
  } finally {
    files.close(fd);
  }
}

/** Whether opening failed because of what is at the path, and would fail the next time as well. */
function isFaultOfFile(files: FileSystem, path: string, error: unknown): boolean {
  switch (errnoOf(error)) {
    case 'ELOOP':
    case 'ENOTDIR':
    case 'ENAMETOOLONG':
      return true;
    default: {
      const facts = files.lstat(path);
      if (facts?.kind !== 'file') return facts !== undefined;
      // A file of ours that we may read, in a directory of ours: then the file was not what prevented opening it.
      return (facts.mode & OWNER_READ) === 0 || facts.uid !== files.lstat(dirname(path))?.uid;
    }
  }
}

const OWNER_READ = 0o400;

/** The text of a small file; undefined if it is missing or cannot be read as a regular file. */
export function readText(files: FileSystem, path: string, bytesMax = 1024 * 1024): string | undefined {
  try {
    const read = readBounded(files, path, bytesMax);
    return 'bytes' in read ? read.bytes.toString('utf8') : undefined;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Syncs a directory, so that the names in it survive a power loss. */
export async function syncDirectory(files: FileSystem, path: string): Promise<void> {
  const fd = files.open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await files.fsync(fd);
  } finally {
    files.close(fd);
  }
}

/** The same for several at once, which takes as long as one. Throws only after all have finished. */
export async function syncDirectories(files: FileSystem, paths: readonly string[]): Promise<void> {
  await allOrThrow(paths.map((path) => syncDirectory(files, path)));
}

/** Syncs a file that another call wrote; returns whether it existed. */
export async function syncFile(files: FileSystem, path: string): Promise<boolean> {
  let fd: number;
  try {
    fd = files.open(path, OPEN_READ);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
  try {
    await files.fsync(fd);
    return true;
  } finally {
    files.close(fd);
  }
}

/** Removes a file; returns whether it existed. */
export function removeIfThere(files: FileSystem, path: string): boolean {
  try {
    files.unlink(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/**
 * Renames. An error of the call does not say what the disk did, so it is thrown only if the file does not appear to
 * have moved.
 */
export function renameSettled(files: FileSystem, from: string, to: string): void {
  try {
    files.rename(from, to);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || !isMoved(files, from, to)) throw error;
  }
}

function isMoved(files: FileSystem, from: string, to: string): boolean {
  try {
    return files.lstat(from) === undefined && files.lstat(to) !== undefined;
  } catch {
    return false;
  }
}

/** Makes a directory; returns whether it is new. */
export function ensureDirectory(files: FileSystem, path: string, mode = 0o700): boolean {
  try {
    files.mkdir(path, mode);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** An unused name in `directory`, for a file that is written there and then linked or renamed into place. */
export function stagedPath(directory: string, randomBytes: (length: number) => Buffer): string {
  return `${directory}/${randomBytes(12).toString('hex')}`;
}

interface WholeFile {
  readonly path: string;
  readonly staged: string;
  readonly bytes: Uint8Array;
  readonly mode: number;
  readonly durable: boolean;
}

/**
 * Creates `path` with all its bytes atomically: written at `staged`, then linked. False, with nothing changed, if the
 * path exists.
 */
export async function publishFile(files: FileSystem, file: WholeFile): Promise<boolean> {
  await stage(files, file);
  try {
    // At this link the file exists, complete.
    files.link(file.staged, file.path);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    removeQuietly(files, file.staged);
  }
  if (file.durable) await syncDirectory(files, dirname(file.path));
  return true;
}

/** Writes all the bytes to `path` atomically, whatever was there before: written at `staged`, then renamed. */
export async function replaceFile(files: FileSystem, file: WholeFile): Promise<void> {
  await stage(files, file);
  try {
    renameSettled(files, file.staged, file.path);
  } catch (error) {
    removeQuietly(files, file.staged);
    throw error;
  }
  if (file.durable) await syncDirectory(files, dirname(file.path));
}

async function stage(files: FileSystem, { path, staged, bytes, mode, durable }: WholeFile): Promise<void> {
  const directory = dirname(staged);
  const write = async (): Promise<void> => (durable ? createFileSynced : createFile)(files, staged, bytes, mode);
  try {
    await write().catch((error: unknown) => {
      if (errnoOf(error) !== 'ENOENT' || directory === dirname(path)) throw error;
      // A staging directory is often empty, and programs that clean up or copy trees may leave out empty ones.
      ensureDirectory(files, directory);
      return write();
    });
  } catch (error) {
    removeQuietly(files, staged);
    throw error;
  }
}

/** Removes a file that would only waste space; if that fails, a sweep removes it later. */
export function removeQuietly(files: FileSystem, path: string): void {
  try {
    files.unlink(path);
  } catch {
    // What was linked decides the outcome; a staged file that is left is swept.
  }
}

/** Waits for all, so that none still uses what the caller closes, then throws the error of the first that failed. */
export async function allOrThrow(works: readonly Promise<unknown>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(works)) if (outcome.status === 'rejected') throw outcome.reason;
}

/** The names in a directory; none if there is no directory. */
export function namesIn(files: FileSystem, path: string): string[] {
  try {
    return files.readdir(path);
  } catch (error) {
    if (NO_DIRECTORY.includes(errnoOf(error) ?? '')) return [];
    throw error;
  }
}

const NO_DIRECTORY = ['ENOENT', 'ENOTDIR', 'ELOOP'];
