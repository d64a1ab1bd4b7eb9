import { ChainDamaged } from '../errors.ts';
import { errnoOf, type FileSystem } from '../host/file-system.ts';
import type { ChainRecord } from './record.ts';
import { listSegments, segmentPath, type ChainPlace } from './segment-files.ts';
import { openSegment, type Segment } from './segment.ts';

/**
 * Reads a chain from its first record on, and later resumes where it stopped; changes nothing. The cost of a look is
 * what is new, not what is there. Only for chains whose segments are never removed.
 */
export class ChainReader {
  readonly #files: FileSystem;
  readonly #place: ChainPlace;
  #segment: Segment | undefined;
  #isLastKnown = false;

  constructor(files: FileSystem, place: ChainPlace) {
    this.#files = files;
    this.#place = place;
  }

  /**
   * Gives every record that counts and was not given yet, in order, including seals and opening records, up to the end
   * of one segment. Returns whether another segment can be read at once. Throws ChainDamaged and errors of the file
   * system.
   */
  readOn(onRecord: (record: ChainRecord) => void): boolean {
    const segment = this.#segment ?? this.#open(1, undefined);
    if (!segment) return false;
    this.#segment = segment;
    segment.readOn(onRecord);
    const { isSealed, seq, prev } = segment.scan;
    if (!isSealed) {
      this.#assertLast(segment, onRecord);
      return segment.scan.isSealed;
    }
    const next = this.#open(seq + 1, prev);
    if (!next) return false;
    segment.close();
    this.#segment = next;
    this.#isLastKnown = false;
    return true;
  }

  close(): void {
    this.#segment?.close();
    this.#segment = undefined;
  }

  #open(first: number, prev: string | undefined): Segment | undefined {
    const path = segmentPath(this.#place, first);
    const segment = openSegment(this.#files, { path, first, prev });
    if (segment) return segment;
    const later = this.#firsts().find((one) => one > first);
    // It may have appeared together with its successor since the look.
    if (later === undefined || this.#files.lstat(path)) return undefined;
    throw new ChainDamaged(
      `the chain in ${this.#place.directory} has no file that begins with record ${first}; the next is ${segmentPath(this.#place, later)}`,
      { hint: 'Restore the missing file from a backup.' },
    );
  }

  /** A successor is used only once a segment is sealed; after an unsealed one there is nothing, or only damage. */
  #assertLast(segment: Segment, onRecord: (record: ChainRecord) => void): void {
    if (this.#isLastKnown) return;
    const hasSuccessor = this.#firsts().some((first) => first > segment.first);
    segment.readOn(onRecord);
    if (hasSuccessor && !segment.scan.isSealed) {
      throw new ChainDamaged(`the chain file ${segment.path} has a successor but does not end with a seal`, {
        hint: 'Restore the file from a backup.',
      });
    }
    this.#isLastKnown = true;
  }

  #firsts(): readonly number[] {
    try {
      return listSegments(this.#files, this.#place).firsts;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
      throw error;
    }
  }
}
