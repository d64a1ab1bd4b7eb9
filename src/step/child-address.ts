import { InvalidInput } from '../errors.ts';
import { assertNewAddress, isActorAddress } from '../message/address.ts';

const SLUG_CHARS_MAX = 40;

/**
 * The address of a child machine: `<parent>.<child id>-<number of the step that started it>`, or the room address that its
 * `systemId` names. `taken` are the addresses of the other children. Throws InvalidInput if the result is not a valid address.
 */
export function childAddress(options: {
  readonly parent: string;
  readonly childId: string;
  readonly systemId: string | undefined;
  readonly step: number;
  readonly taken: ReadonlySet<string>;
}): string {
  const { parent, childId, systemId, step, taken } = options;
  if (systemId !== undefined) {
    if (isActorAddress(systemId)) {
      assertNewAddress(systemId);
      return systemId;
    }
    throw new InvalidInput(
      `The child ${JSON.stringify(childId)} of ${parent} has the systemId ${JSON.stringify(systemId)}, which is not an address.`,
      {
        hint: 'A systemId is the child\'s address in the room: parts of a-z, 0-9, "_" and "-", joined with ".".',
      },
    );
  }
  const slug = slugOf(childId);
  for (let again = 1; ; again++) {
    const address = `${parent}.${slug}-${step}${again === 1 ? '' : `-${again}`}`;
    if (!isActorAddress(address)) {
      throw new InvalidInput(
        `The child ${JSON.stringify(childId)} of ${parent} would get the address ${address}, which is too long.`,
        {
          hint: 'Give the workflow or the child a shorter name, or the child a systemId.',
        },
      );
    }
    if (!taken.has(address)) return address;
  }
}

/** A child id such as `0.pipeline.build`, reduced to the characters that a part of an address may have. */
function slugOf(childId: string): string {
  const slug = childId
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, SLUG_CHARS_MAX);
  return slug === '' ? 'child' : slug;
}
