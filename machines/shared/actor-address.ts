import { z } from 'zod';

const ADDRESS_CHARS_MAX = 120;
const ADDRESS = /^(?!(?:all|system)$)[a-z0-9][a-z0-9_-]*(?:\.[a-z0-9][a-z0-9_-]*)*$/;

/** The address of one actor, as it stands in the input of a machine. */
export const actorAddress = z.string().max(ADDRESS_CHARS_MAX).regex(ADDRESS, 'expected an address');
