import { constants } from 'node:fs';
import { ChainDamaged } from '../errors.ts';
import { errnoOf, type FileSystem } from '../host/file-system.ts';
import type { ChainRecord } from './record.ts';
import { ChainScan, type ScanStart } from './scan.ts';

/** NONBLOCK, so that a FIFO in place of a segment cannot hang anyone. */
const OPEN_SEGMENT = constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const SEGMENT_MODE = 0o600;
const READ_BYTES_FIRST = 64 * 1024;

/** One open file of a chain: appends to its end, reads on from where this process stopped. */
export class Segment {
  readonly path: string;
  readonly first: number;
  readonly #files: FileSystem;
  readonly #fd: number;
  #inode: number | undefined;
  #scan: ChainScan;
  #buffer = Buffer.allocUnsafe(READ_BYTES_FIRST);
  #syncsUnderWay = 0;
  #syncFailure: Error | undefined;
  #isClosed = false;

  constructor(files: FileSystem, fd: number, start: ScanStart) {
    this.path = start.path;
    this.first = start.first;
    this.#files = files;
    this.#fd = fd;
    this.#scan = new ChainScan(start);
  }

  /** What is known of the segment's content. */
  get scan(): ChainScan {
    return this.#scan;
  }

  /** Starts reading the segment from its beginning again, now knowing the hash that it continues. */
  rescan(prev: string): void {
    this.#scan = new ChainScan({ path: this.path, first: this.first, prev });
  }

  /**
   * Reads what was appended since, own records included. Throws ChainDamaged and what `read` throws. `expected` is a
   * record just appended, which need not be parsed again if its bytes are found.
   */
  readOn(
    onRecord: (record: ChainRecord) => void,
    expected?: { readonly record: ChainRecord; readonly bytes: Buffer },
  ): void {
    for (;;) {
      const bytes = this.#read();
      if (expected && bytes.length === expected.bytes.length && bytes.equals(expected.bytes)) {
        this.#scan.accept(expected.record, bytes.length, onRecord);
        return;
      }
      const decided = this.#scan.feed(bytes, onRecord);
      if (bytes.length < this.#buffer.length) return;
      // A full buffer without the end of a line: the line is longer. The scan refuses endless ones.
      if (decided === 0) this.#buffer = Buffer.allocUnsafe(this.#buffer.length * 2);
    }
  }

  /** Appends in one call. Returns the error instead of throwing it: whether the record counts is found by reading. */
  append(bytes: Buffer): Error | undefined {
    this.#assertOpen();
    if (this.#syncFailure) return this.#syncFailure;
    try {
      this.#files.write(this.#fd, bytes, 0, bytes.length);
      return undefined;
    } catch (error) {
      return withPath(error, this.path);
    }
  }

  /**
   * Whether somebody removed or replaced the file by hand, so that nobody else will ever read what is appended. False
   * if the system refuses to look.
   */
  isRemoved(): boolean {
    this.#assertOpen();
    try {
      this.#inode ??= this.#files.fstat(this.#fd).ino;
      return this.#files.lstat(this.path)?.ino !== this.#inode;
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return false;
    }
  }

  /**
   * Waits until all of it is on disk. After a failure the kernel may have dropped what it could not write, and would
   * report a second attempt as a success, so this and every append fail from then on.
   */
  async sync(): Promise<void> {
    this.#assertOpen();
    if (this.#syncFailure) throw this.#syncFailure;
    if (this.isRemoved()) throw new ChainRemoved(this.path);
    this.#syncsUnderWay += 1;
    try {
      await this.#files.fdatasync(this.#fd);
    } catch (error) {
      this.#syncFailure = withPath(error, this.path);
      throw this.#syncFailure;
    } finally {
      this.#syncsUnderWay -= 1;
      if (this.#isClosed && this.#syncsUnderWay === 0) this.#files.close(this.#fd);
    }
  }

  /** Closes the file, after the last sync in progress has finished if there is one. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#syncsUnderWay === 0) this.#files.close(this.#fd);
  }

  #read(): Buffer {
    this.#assertOpen();
    try {
      const count = this.#files.read(this.#fd, this.#buffer, 0, this.#buffer.length, this.#scan.offset);
      return this.#buffer.subarray(0, count);
    } catch (error) {
      throw withPath(error, this.path);
    }
  }

  /** The number of a closed descriptor may belong to another file by now. */
  #assertOpen(): void {
    if (this.#isClosed) throw new TypeError(`the chain file ${this.path} is used after it was closed`);
  }
}

/** Opens an existing segment; undefined if there is none. */
export function openSegment(files: FileSystem, start: ScanStart): Segment | undefined {
  try {
    return new Segment(files, files.open(start.path, OPEN_SEGMENT), start);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Opens the first segment of a chain, which begins empty, so any number of processes may create it. */
export function createFirstSegment(files: FileSystem, path: string): Segment {
  const fd = files.open(path, OPEN_SEGMENT | constants.O_CREAT, SEGMENT_MODE);
  return new Segment(files, fd, { path, first: 1 });
}

/** The file of a chain is no longer the one at its path: nobody will ever read what was appended to it. */
export class ChainRemoved extends ChainDamaged {
  constructor(path: string) {
    super(`the chain file ${path} was removed or replaced while it was in use; what was appended to it last is lost`, {
      hint: 'Restore it from a backup if it was removed by mistake, and start again.',
    });
  }
}

/** Adds the path to a system error, which errors of calls by descriptor lack; any other error is unchanged. */
export function withPath(error: unknown, path: string): Error {
  if (!(error instanceof Error)) return new TypeError(`something other than an error was thrown for ${path}`);
  const code = errnoOf(error);
  if (code === undefined || error.message.includes(path)) return error;
  return Object.assign(new Error(`${error.message} '${path}'`, { cause: error }), { code, path });
}
