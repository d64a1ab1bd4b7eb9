import { createHash } from 'node:crypto';

/** File systems allow names of 255 bytes, and git writes a ref through `<ref>.lock`. */
const PART_BYTES_MAX = 250;
const SLUG_CHARS_MAX = 40;
const HASH_CHARS = 8;
/** Windows has no files of these names, so such a branch could not be fetched there. */
const DEVICE = /^(?:con|prn|aux|nul|com[1-9]|lpt[1-9])$/;
/** Task id, hyphen and attempt number. */
const ID_CHARS_MAX = 72;
/** The rest of a task's branch name: the id of the run, and dots. */
const RUN_CHARS_MAX = 42;
const UNDER_BYTES_MAX = ID_CHARS_MAX + RUN_CHARS_MAX;

/** The first line of a feature as part of a name: lower-case letters, digits and single hyphens. */
export function featureSlug(feature: string): string {
  const [first = ''] = feature.trim().split('\n', 1);
  const slug = slugOf(first) || 'feature';
  return DEVICE.test(slug) ? `${slug}-feature` : slug;
}

/** Whether the name is short enough that branches can be created whose names begin with it. */
export function hasRoomUnder(branch: string): boolean {
  return Buffer.byteLength(branch.slice(branch.lastIndexOf('/') + 1)) <= PART_BYTES_MAX - UNDER_BYTES_MAX;
}

/**
 * Any name as a part of a ref. A task id stays as it is; any other name becomes a part that git accepts and that no other
 * name has, even on a case-insensitive file system.
 */
export function refPart(name: string): string {
  if (name.length <= ID_CHARS_MAX && /^[a-z0-9][a-z0-9-]*$/.test(name)) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_CHARS);
  return [slugOf(name), hash].filter(Boolean).join('-');
}

function slugOf(text: string): string {
  return text
    .toLowerCase()
    .normalize('NFKD')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+/g, '')
    .slice(0, SLUG_CHARS_MAX)
    .replaceAll(/-+$/g, '');
}
