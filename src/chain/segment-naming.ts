import { join } from 'node:path';
import type { FileSystem } from '../host/file-system.ts';

const NUMBER = /^[1-9][0-9]{0,14}$/;
const TEMPORARY = /^(.+)\.[0-9a-f]+\.tmp$/;

/** How the segments of a chain are called: `<prefix><seq of the first record><suffix>`, all in one directory. */
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

/** Where the segment that begins with `first` is prepared; `unique` is hex. */
export function temporaryPath(place: ChainPlace, first: number, unique: string): string {
  return `${segmentPath(place, first)}.${unique}.tmp`;
}

export interface SegmentListing {
  /** The numbers of the segments there are, ascending. */
  readonly firsts: readonly number[];
  /** Files in which a segment was prepared, with its number; a crash leaves them. */
  readonly temporaries: readonly { readonly path: string; readonly first: number }[];
}

/** What there is of a chain. Other files of the directory are nobody's business here. */
export function listSegments(files: FileSystem, place: ChainPlace): SegmentListing {
  const firsts: number[] = [];
  const temporaries: { path: string; first: number }[] = [];
  for (const name of files.readdir(place.directory)) {
    const first = numberIn(name, place.naming);
    if (first !== undefined) firsts.push(first);
    const prepared = numberIn(TEMPORARY.exec(name)?.[1] ?? '', place.naming);
    if (prepared !== undefined) temporaries.push({ path: join(place.directory, name), first: prepared });
  }
  return { firsts: firsts.sort((a, b) => a - b), temporaries };
}

function numberIn(name: string, { prefix, suffix }: SegmentNaming): number | undefined {
  if (!name.startsWith(prefix) || !name.endsWith(suffix)) return undefined;
  const digits = name.slice(prefix.length, name.length - suffix.length);
  return NUMBER.test(digits) ? Number(digits) : undefined;
}
