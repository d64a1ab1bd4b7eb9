import { RECORD_BYTES_MAX } from '../chain/record.ts';
import type { JournalFold } from './journal-fold.ts';

/** Small, so that opening costs the same after ten thousand steps as after a hundred. */
const SEGMENT_BYTES_MAX = 128 * 1024;
/** A segment is this many times what it carried over, so that carrying costs a small part of all that is written. */
const CARRIED_TIMES_MIN = 4;
/** While more than this is outstanding, steps and messages, a segment waits for a moment when less is carried over. */
const OUTSTANDING_MAX = 8;
/** It may grow to so many times its size meanwhile. */
const WAITING_TIMES_MAX = 4;
/** What is carried over is one record; this is left of it for its head. */
const CARRIED_BYTES_MAX = RECORD_BYTES_MAX - 4 * 1024;
/** Where the next record cannot hold it, a look at how much it is waits until the segment has grown by such a part of it. */
const LOOKS_PER_CARRIED = 4;

/**
 * The size at which a segment of the journal ends, by what it has grown to. One whose backlog fits into no record goes on: a
 * segment that has ended can only be followed by one that carries all of it over, so the workflow could never be opened again.
 */
export function segmentSize(fold: JournalFold): (grownTo: number) => number {
  let looksAgainAt = 0;
  return (grownTo) => {
    const most = Math.max(SEGMENT_BYTES_MAX, CARRIED_TIMES_MIN * fold.carriedBytes);
    const outstanding = fold.unperformed.length + fold.undelivered.size;
    const endsAt = outstanding > OUTSTANDING_MAX ? WAITING_TIMES_MAX * most : most;
    if (grownTo < endsAt) return endsAt;
    if (grownTo < looksAgainAt) return looksAgainAt;
    const carriedBytes = Buffer.byteLength(JSON.stringify(fold.carry()));
    looksAgainAt = carriedBytes > CARRIED_BYTES_MAX ? grownTo + carriedBytes / LOOKS_PER_CARRIED : 0;
    return Math.max(endsAt, looksAgainAt);
  };
}
