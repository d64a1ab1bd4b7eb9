import { constants } from 'node:fs';
import { errnoOf } from '../host/file-system.ts';
import { namesIn, removeQuietly } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import type { RoomLayout } from '../message/layout.ts';

const OPEN_READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const BLOCK_BYTES = 64 * 1024;
const LINE_FEED = 0x0a;
/** A file without a line feed is not a log, and must not fill the memory. */
const LINE_BYTES_MAX = 1024 * 1024;

/** The last lines of the log that match, set-aside logs included, oldest first. */
export function lastLines(
  host: Host,
  layout: RoomLayout,
  { limit, matches = () => true }: { readonly limit: number; readonly matches?: (line: string) => boolean },
): string[] {
  const older = rotatedLogs(host, layout).map((name) => `${layout.logDirectory}/${name}`);
  let lines: string[] = [];
  for (const path of [layout.log, ...older.toReversed()]) {
    if (lines.length >= limit) break;
    lines = [...lastLinesOf(host, path, { limit: limit - lines.length, matches }), ...lines];
  }
  return lines;
}

function lastLinesOf(
  host: Host,
  path: string,
  { limit, matches }: Required<Parameters<typeof lastLines>[2]>,
): string[] {
  const fd = openLogFile(host, path);
  if (fd === undefined) return [];
  try {
    const { size } = host.files.fstat(fd);
    const lines: string[] = [];
    let begun = Buffer.alloc(0);
    for (let from = size; from > 0 && lines.length < limit;) {
      const start = Math.max(0, from - BLOCK_BYTES);
      const block = Buffer.concat([readAt(host, fd, start, from - start), begun]);
      // What precedes its first line feed continues from the block before it.
      const at = start === 0 ? -1 : block.indexOf(LINE_FEED);
      begun = start > 0 && at < 0 ? block : block.subarray(0, Math.max(at, 0));
      if (start === 0 || at >= 0) {
        const whole = block.toString('utf8', at + 1).split('\n');
        lines.unshift(...whole.filter((line) => line !== '' && matches(line)));
      }
      from = start;
    }
    return lines.slice(-limit);
  } finally {
    host.files.close(fd);
  }
}

/** Follows a log that others append to. */
export interface LogFollower {
  /** The lines appended since the last call; continues with the next log when this one was set aside. */
  lines(): string[];
  close(): void;
}

/** Begins at the end of the log: existing lines are not read. */
export function followLog(host: Host, layout: RoomLayout): LogFollower {
  let open = openAt(host, layout, { fromEnd: true });
  return {
    lines: () => {
      const lines = open?.lines() ?? [];
      const inode = host.files.lstat(layout.log)?.ino;
      if (open?.inode === inode) return lines;
      // Lines written between the two looks are in the set-aside file.
      if (open) lines.push(...open.lines());
      open?.close();
      open = openAt(host, layout, { fromEnd: false });
      return [...lines, ...(open?.lines() ?? [])];
    },
    close: () => open?.close(),
  };
}

interface OpenLog {
  readonly inode: number;
  lines(): string[];
  close(): void;
}

function openAt(host: Host, layout: RoomLayout, { fromEnd }: { fromEnd: boolean }): OpenLog | undefined {
  const fd = openLogFile(host, layout.log);
  if (fd === undefined) return undefined;
  const { ino, size } = host.files.fstat(fd);
  let position = fromEnd ? size : 0;
  let rest = Buffer.alloc(0);
  return {
    inode: ino,
    lines: () => {
      const lines: string[] = [];
      const end = host.files.fstat(fd).size;
      while (position < end) {
        const block = readAt(host, fd, position, Math.min(BLOCK_BYTES, end - position));
        if (block.length === 0) break;
        position += block.length;
        rest = Buffer.concat([rest, block]);
        const last = rest.lastIndexOf(LINE_FEED);
        if (last >= 0) lines.push(...rest.toString('utf8', 0, last).split('\n'));
        rest = last >= 0 ? rest.subarray(last + 1) : rest.subarray(-LINE_BYTES_MAX);
      }
      return lines.filter((line) => line !== '');
    },
    close: () => host.files.close(fd),
  };
}

function openLogFile({ files }: Host, path: string): number | undefined {
  try {
    const fd = files.open(path, OPEN_READ);
    if (files.fstat(fd).kind === 'file') return fd;
    files.close(fd);
    return undefined;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function readAt({ files }: Host, fd: number, position: number, length: number): Buffer {
  const block = Buffer.alloc(length);
  const count = files.read(fd, block, 0, length, position);
  return block.subarray(0, count);
}

const ROTATED = /^agent_messages\.\d{4}-\d\d-\d\dT[\d.-]+Z\.[0-9a-f]{8}\.log$/;

/**
 * Sets the log aside under a name of its own, unless another process has just done so, and removes the oldest beyond
 * those to keep.
 */
export function rotate(host: Host, options: { layout: RoomLayout; logFilesKept: number; inode: number }): void {
  const { files, clock, randomBytes } = host;
  const { layout, logFilesKept, inode } = options;
  if (files.lstat(layout.log)?.ino !== inode) return;
  const time = new Date(clock.now()).toISOString().replaceAll(':', '-');
  const aside = `agent_messages.${time}.${randomBytes(4).toString('hex')}.log`;
  try {
    files.rename(layout.log, `${layout.logDirectory}/${aside}`);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  for (const name of rotatedLogs(host, layout).slice(0, -logFilesKept)) {
    removeQuietly(files, `${layout.logDirectory}/${name}`);
  }
}

/** The names of the set-aside logs, oldest first. */
export function rotatedLogs({ files }: Host, layout: RoomLayout): string[] {
  return namesIn(files, layout.logDirectory)
    .filter((name) => ROTATED.test(name))
    .sort();
}
