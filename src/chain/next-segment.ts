import { createFile, createFileSynced } from '../host/files.ts';
import { errnoOf, type FileSystem } from '../host/file-system.ts';
import type { Host } from '../host/host.ts';
import { openLast } from './open-last.ts';
import { encodeRecord } from './record.ts';
import { type ChainPlace, removeLeftover, segmentPath, temporaryPath } from './segment-files.ts';
import { openSegment, type Segment, withPath } from './segment.ts';

const SEGMENT_MODE = 0o600;
const UNIQUE_BYTES = 8;

export interface NextSegmentOptions extends ChainPlace {
  readonly host: Pick<Host, 'files' | 'randomBytes'>;
  readonly durable: boolean;
  readonly segmentsKept?: number;
  readonly carry: () => unknown;
}

/**
 * The segment after a sealed one or, if its successors may have been removed already, the last one; undefined if there
 * is none.
 */
export function openNext(options: NextSegmentOptions, sealed: Segment): Segment | undefined {
  const { files } = options.host;
  const { seq, prev } = sealed.scan;
  const first = seq + 1;
  if (options.segmentsKept === undefined) {
    return openSegment(files, { path: segmentPath(options, first), first, prev });
  }
  const prevOf = (found: number): string | undefined => (found === first ? prev : undefined);
  return openLast(files, { ...options, above: sealed.first, removes: true, prevOf });
}

/**
 * Publishes the segment after a sealed one, with its opening record in it. Any number of processes may try at once and
 * all succeed: the first link decides, and whose it was does not matter.
 */
export async function linkNext(
  options: NextSegmentOptions,
  { sealed, by }: { readonly sealed: Segment; readonly by: string },
): Promise<void> {
  const { host, durable, carry } = options;
  const { seq, prev } = sealed.scan;
  if (prev === undefined) throw new TypeError(`${sealed.path} is followed before it was read`);
  const first = seq + 1;
  const { bytes } = encodeRecord({ seq: first, prev, by }, { carried: carry() });
  // The seal is on disk before anything can follow it.
  if (durable) await sealed.sync();
  const temporary = temporaryPath(options, first, host.randomBytes(UNIQUE_BYTES).toString('hex'));
  try {
    if (durable) await createFileSynced(host.files, temporary, bytes, SEGMENT_MODE);
    else createFile(host.files, temporary, bytes, SEGMENT_MODE);
    // At this link the segment exists, complete, for everyone.
    linkUnlessThere(host.files, temporary, segmentPath(options, first));
  } catch (error) {
    throw withPath(error, temporary);
  } finally {
    removeLeftover(host.files, temporary);
  }
}

function linkUnlessThere(files: FileSystem, temporary: string, path: string): void {
  try {
    files.link(temporary, path);
  } catch (error) {
    const errno = errnoOf(error);
    // ENOENT: a process that is already past this segment swept the temporary file away.
    if (errno !== 'EEXIST' && errno !== 'ENOENT') throw error;
  }
}
