import { join } from 'node:path';
import { errnoOf, type FileSystem } from '../host/file-system.ts';

const NUMBER = /^[1-9][0-9]{0,14}$/;
const TEMPORARY = /^(.+)\.[0-9a-f]+\.tmp$/;

/** Names of a chain's segments: `<prefix><seq of the first record><suffix>`, all in one directory. */
export interface SegmentNaming {
  readonly prefix: string;
  readonly suffix: string;
}

export interface ChainPlace {
  readonly directory: string;
  readonly naming: SegmentNaming;
}

export function segmentPath(place: ChainPlace, first: number): string {
  return join(place.directory, `${place.naming.prefix}${first}${place.naming.suffix}`);
}

/** Where the segment that begins with `first` is staged; `unique` is hex. */
export function temporaryPath(place: ChainPlace, first: number, unique: string): string {
  return `${segmentPath(place, first)}.${unique}.tmp`;
}

export interface SegmentListing {
  /** The numbers of the existing segments, ascending. */
  readonly firsts: readonly number[];
  /** Files in which a segment was staged, with its number; left by crashes. */
  readonly temporaries: readonly { readonly path: string; readonly first: number }[];
}

/** Lists the files of a chain, ignoring all other files of the directory. */
export function listSegments(files: FileSystem, place: ChainPlace): SegmentListing {
  const firsts: number[] = [];
  const temporaries: { path: string; first: number }[] = [];
  for (const name of files.readdir(place.directory)) {
    const first = numberIn(name, place.naming);
    if (first !== undefined) firsts.push(first);
    const prepared = name.endsWith('.tmp') ? numberIn(TEMPORARY.exec(name)?.[1] ?? '', place.naming) : undefined;
    if (prepared !== undefined) temporaries.push({ path: join(place.directory, name), first: prepared });
  }
  return { firsts: firsts.sort((a, b) => a - b), temporaries };
}

function numberIn(name: string, { prefix, suffix }: SegmentNaming): number | undefined {
  if (!name.startsWith(prefix) || !name.endsWith(suffix)) return undefined;
  const digits = name.slice(prefix.length, name.length - suffix.length);
  return NUMBER.test(digits) ? Number(digits) : undefined;
}

/**
 * Removes what nobody needs once segment `last` is in use: all but the last `kept` segments, if given, and files in
 * which segments up to `last` were staged. Old segments go in ascending order, none before an older one. A file that
 * cannot be removed does no harm, and the next sweep tries again.
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

/** Removes a file if possible; returns whether it is gone. */
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
