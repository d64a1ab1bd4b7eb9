import { ChainDamaged, WaitTimeout } from '../errors.ts';
import type { FileSystem } from '../host/file-system.ts';
import { quote } from '../host/shell-word.ts';
import type { ChainRecord } from './record.ts';
import { listSegments, segmentPath, type ChainPlace } from './segment-files.ts';
import { createFirstSegment, openSegment, type Segment } from './segment.ts';

const OPEN_TRIES_MAX = 16;

export interface LastSegmentOptions extends ChainPlace {
  /** Only a segment with a greater number is opened. */
  readonly above: number;
  /** Whether segments of this chain are ever removed. */
  readonly removes: boolean;
  /** The hash that the segment with the given number has to continue, if known. */
  readonly prevOf?: (first: number) => string | undefined;
}

/**
 * Opens the last segment; undefined if none has a number above `above`.
 *
 * In a chain whose old segments are removed, a process that was stopped for long may create an old segment again. So a
 * segment is the last one only if a listing made after it was opened has none above it: the true last one is never
 * removed, and a segment that came back always has the true last one above it.
 */
export function openLast(files: FileSystem, options: LastSegmentOptions): Segment | undefined {
  let last = listSegments(files, options).firsts.at(-1);
  for (let tries = 0; tries < OPEN_TRIES_MAX; tries++) {
    if (last === undefined || last <= options.above) return undefined;
    const start = { path: segmentPath(options, last), first: last, prev: options.prevOf?.(last) };
    const segment = openSegment(files, start);
    if (segment && !options.removes) return segment;
    let lastThen: number | undefined;
    try {
      lastThen = listSegments(files, options).firsts.at(-1);
    } catch (error) {
      segment?.close();
      throw error;
    }
    if (segment && lastThen === last) return segment;
    segment?.close();
    last = lastThen;
  }
  throw new WaitTimeout(`the chain in ${options.directory} got a new segment in each of ${OPEN_TRIES_MAX} looks`, {
    hint: 'Try again; if this repeats, something else creates files there.',
  });
}

/** The last segment of a chain, or the first segment of a new chain. */
export function openLastOrFirst(files: FileSystem, place: ChainPlace & { readonly removes: boolean }): Segment {
  const found = openLast(files, { ...place, above: 0 });
  if (found) return found;
  const created = createFirstSegment(files, segmentPath(place, 1));
  try {
    // The chain may have begun and moved on while this process was about to create its first file.
    const last = openLast(files, { ...place, above: 1 });
    if (!last) return created;
    created.close();
    return last;
  } catch (error) {
    created.close();
    throw error;
  }
}

/**
 * Reads the segment that precedes one without an opening record, so that its state can be carried over again; an
 * unsynced chain can look like that after a power loss. Returns the hash to continue from. Throws ChainDamaged if no
 * sealed segment leads to it.
 */
export function readPrevious(
  files: FileSystem,
  place: ChainPlace,
  empty: Segment,
  onRecord: (record: ChainRecord) => void,
): string {
  const before = listSegments(files, place).firsts.findLast((first) => first < empty.first);
  const previous =
    before === undefined ? undefined : openSegment(files, { path: segmentPath(place, before), first: before });
  if (previous) {
    try {
      previous.readOn(onRecord);
    } finally {
      previous.close();
    }
    const { isSealed, seq, prev } = previous.scan;
    if (isSealed && seq + 1 === empty.first && prev !== undefined) return prev;
  }
  throw new ChainDamaged(
    `the chain file ${empty.path} has no opening record, and no sealed segment before it ends with record ${empty.first - 1}`,
    { hint: `If it is empty, remove it: rm ${quote(empty.path)}. Otherwise restore it from a backup.` },
  );
}
