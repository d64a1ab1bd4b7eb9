import { ChainDamaged } from '../errors.ts';
import { errnoOf, type FileSystem } from '../host/file-system.ts';
import type { ChainRecord } from './record.ts';
import { listSegments, segmentPath, type ChainPlace } from './segment-files.ts';
import { openSegment } from './segment.ts';

/**
 * Reads a chain from its first record on and changes nothing: every record that counts, once and in order, including
 * seals and opening records. A record being written right now may be missing. Returns whether there is a chain. Throws
 * ChainDamaged if a segment is missing or does not continue the one before, and errors of the file system.
 */
export function readChain(files: FileSystem, place: ChainPlace, onRecord: (record: ChainRecord) => void): boolean {
  const { firsts } = listed(files, place);
  let seq = 0;
  let prev: string | undefined;
  for (const first of firsts) {
    if (first !== seq + 1) {
      throw new ChainDamaged(
        `the chain in ${place.directory} has no file that begins with record ${seq + 1}; the next is ${segmentPath(place, first)}`,
        { hint: 'Restore the missing file from a backup.' },
      );
    }
    const segment = openSegment(files, { path: segmentPath(place, first), first, prev });
    if (!segment) continue;
    try {
      segment.readOn(onRecord);
      const { scan } = segment;
      ({ seq, prev } = scan);
      // Its successor is used only once it is sealed; after an unsealed one there is nothing, or only damage.
      if (!scan.isSealed && first !== firsts.at(-1)) {
        throw new ChainDamaged(`the chain file ${segment.path} has a successor but does not end with a seal`, {
          hint: 'Restore the file from a backup.',
        });
      }
    } finally {
      segment.close();
    }
  }
  return firsts.length > 0;
}

function listed(files: FileSystem, place: ChainPlace): { readonly firsts: readonly number[] } {
  try {
    return listSegments(files, place);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { firsts: [] };
    throw error;
  }
}
