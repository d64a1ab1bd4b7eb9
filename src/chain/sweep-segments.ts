import { errnoOf, type FileSystem } from '../host/file-system.ts';
import { listSegments, segmentPath, type ChainPlace, type SegmentListing } from './segment-naming.ts';

/**
 * Removes what nobody needs once segment `last` is in use: all but the last `kept` segments, if that is given, and
 * files in which segments up to it were prepared. Old segments go in ascending order, none before an older one.
 * What cannot be removed harms nobody, and the next sweep tries again.
 */
export function sweepSegments(
  files: FileSystem,
  place: ChainPlace,
  { last, kept }: { readonly last: number; readonly kept: number | undefined },
): void {
  const listing = listed(files, place);
  for (const { path, first } of listing?.temporaries ?? []) if (first <= last) removeLeftover(files, path);
  const old = kept === undefined ? [] : (listing?.firsts.filter((first) => first <= last).slice(0, -kept) ?? []);
  for (const first of old) if (!removeLeftover(files, segmentPath(place, first))) return;
}

/** Removes a file if it can, and says whether it is gone. */
export function removeLeftover(files: FileSystem, path: string): boolean {
  try {
    files.unlink(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return errnoOf(error) === 'ENOENT';
  }
}

function listed(files: FileSystem, place: ChainPlace): SegmentListing | undefined {
  try {
    return listSegments(files, place);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
