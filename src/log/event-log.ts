import { constants } from 'node:fs';
import { errnoOf, type FileSystem } from '../host/file-system.ts';
import { ensureDirectory } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { cut } from '../message/cut.ts';
import { isoTime } from '../message/format-time.ts';
import type { RoomLayout } from '../message/layout.ts';
import { visibleJson } from '../message/visible.ts';
import { rotate } from './read-log.ts';

/** NONBLOCK, so that a FIFO in place of the log cannot hang its writers. */
const OPEN_APPEND =
  constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const LOG_MODE = 0o600;
const RECHECK_MS = 1_000;
const LINE_FEED = 0x0a;

/** One event. Its time is added when it is written. */
export interface LogRecord {
  readonly event: LogEvent;
  readonly id?: string;
  readonly from?: string;
  readonly to?: string | readonly string[];
  readonly type?: string;
  /** Cut to the first `logContentChars` characters. */
  readonly content?: string;
  readonly outcome?: string | Readonly<Record<string, string>>;
  readonly detail?: string;
}

export type LogEvent =
  | 'initialised'
  | 'joined'
  | 'left'
  | 'sent'
  | 'rate-limited'
  | 'claimed'
  | 'renewed'
  | 'released'
  | 'acknowledged'
  | 'dead'
  | 'refused'
  | 'unmovable'
  | 'duplicate'
  | 'retried'
  | 'nudged'
  | 'swept'
  | 'purged'
  | 'undeliverable'
  | 'started'
  | 'committed'
  | 'ended'
  | 'fenced'
  | 'action-failed'
  | 'logged'
  | 'clock-back'
  | 'hook-failed'
  | 'warning';

export interface LogLimits {
  /** Size in bytes at which the log is rotated. Default: 10 MiB. */
  readonly logBytesMax: number;
  /** Rotated logs that are kept. Default: 5. */
  readonly logFilesKept: number;
  /** Characters of a message's content that the log shows. Default: 200. */
  readonly logContentChars: number;
}

/** A record and its time, in ms since the epoch. */
export interface TimedRecord {
  readonly record: LogRecord;
  readonly timeMs: number;
}

/** The room's log, for people. Nothing reads it back, so an error here loses no mail and stops nothing. */
export interface EventLog {
  append(record: LogRecord): void;
  /** Appends records in one write. */
  appendAll(records: readonly TimedRecord[]): void;
  close(): void;
}

export interface LogOptions {
  readonly layout: RoomLayout;
  readonly limits: LogLimits;
  /** Throws if the log at that path belongs to another room by now: then nothing is written. */
  readonly assertRoom?: () => void;
}

/** Opened at the first record. Each append is one write; it begins with a line feed if the previous writer was cut off. */
export function openLog(host: Host, options: LogOptions): EventLog {
  return new LogWriter(host, options);
}

interface OpenFile {
  readonly fd: number;
  readonly inode: number;
  /** The size of the log after this process's last line; -1 if the last line is not this process's. */
  endsAt: number;
  checkedAtMs: number;
}

class LogWriter implements EventLog {
  readonly #host: Host;
  readonly #options: LogOptions;
  #open: OpenFile | undefined;

  constructor(host: Host, options: LogOptions) {
    this.#host = host;
    this.#options = options;
  }

  append(record: LogRecord): void {
    this.appendAll([{ record, timeMs: this.#host.clock.now() }]);
  }

  appendAll(records: readonly TimedRecord[]): void {
    try {
      for (let left = records; left.length > 0;) left = this.#write(left);
    } catch {
      // By design, losing the log loses no mail. A full disk must not fail a send that was delivered.
      this.close();
    }
  }

  close(): void {
    try {
      this.#close();
    } catch {
      // The descriptor was the problem, and nothing depends on the log.
    }
  }

  #close(): void {
    if (!this.#open) return;
    const { fd } = this.#open;
    this.#open = undefined;
    this.#host.files.close(fd);
  }

  #current(): OpenFile {
    const { files, clock } = this.#host;
    const { layout, assertRoom } = this.#options;
    const now = clock.now();
    if (this.#open && Math.abs(now - this.#open.checkedAtMs) >= RECHECK_MS) {
      this.#open.checkedAtMs = now;
      // Another process has set the log aside; the file still open here is no longer the log.
      if (files.lstat(layout.log)?.ino !== this.#open.inode) this.#close();
    }
    if (this.#open) return this.#open;
    assertRoom?.();
    const fd = openOrMake(files, layout);
    // Kept before the next call, so that its failure leaks no descriptor.
    this.#open = { fd, inode: -1, endsAt: -1, checkedAtMs: now };
    const { kind, ino } = files.fstat(fd);
    if (kind !== 'file') throw new Error(`${layout.log} is not a regular file`);
    this.#open = { ...this.#open, inode: ino };
    return this.#open;
  }

  /** Writes the records in one call. Returns those after a record that the call cut off, which is lost. */
  #write(records: readonly TimedRecord[]): readonly TimedRecord[] {
    const { files } = this.#host;
    const { layout, limits } = this.#options;
    let log = this.#current();
    let facts = files.fstat(log.fd);
    if (facts.nlink === 0) {
      // Somebody has removed the log, and nobody would ever read what is appended to it.
      this.#close();
      log = this.#current();
      facts = files.fstat(log.fd);
    }
    const { size } = facts;
    const isBehindLine = size === log.endsAt || endsWithLine(this.#host, log.fd, size);
    const lines = records.map(({ record, timeMs }) => lineOf(record, { timeMs, contentChars: limits.logContentChars }));
    const bytes = Buffer.from(`${isBehindLine ? '' : '\n'}${lines.join('')}`);
    const written = files.write(log.fd, bytes, 0, bytes.length);
    const isWhole = written === bytes.length;
    log.endsAt = isWhole ? size + written : -1;
    if (size + written >= limits.logBytesMax) {
      this.#close();
      rotate(this.#host, { layout, logFilesKept: limits.logFilesKept, inode: log.inode });
    }
    if (isWhole) return [];
    const ended = bytes.toString('utf8', isBehindLine ? 0 : 1, written).split('\n').length - 1;
    const isBetweenLines = written > 0 && bytes[written - 1] === LINE_FEED;
    return records.slice(isBetweenLines ? ended : ended + 1);
  }
}

/** Makes the log's directory if it is missing: tools that copy or clean a tree leave out empty directories. */
function openOrMake(files: FileSystem, { log, logDirectory }: RoomLayout): number {
  try {
    return files.open(log, OPEN_APPEND, LOG_MODE);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    ensureDirectory(files, logDirectory);
    return files.open(log, OPEN_APPEND, LOG_MODE);
  }
}

function lineOf(record: LogRecord, { timeMs, contentChars }: { timeMs: number; contentChars: number }): string {
  const { event, id, from, to, type, outcome, detail, content } = record;
  const time = isoTime(timeMs);
  const begun =
    content !== undefined && content.length > contentChars
      ? `${cut(content, { charsMax: contentChars, mark: '' })}…`
      : content;
  const shown = begun === undefined || begun.isWellFormed() ? begun : begun.toWellFormed();
  // JSON leaves out undefined fields.
  return `${visibleJson({ time, event, id, from, to, type, outcome, detail, content: shown })}\n`;
}

function endsWithLine({ files }: Host, fd: number, size: number): boolean {
  if (size === 0) return true;
  return files.read(fd, ONE_BYTE, 0, 1, size - 1) === 1 && ONE_BYTE[0] === LINE_FEED;
}

const ONE_BYTE = new Uint8Array(1);
