import { z } from 'zod';
import { actorAddress, parseInput } from '../shared/input.ts';

const TITLE_CHARS_MAX = 200;
/** Of the change's description. */
export const DESCRIPTION_CHARS_MAX = 8_000;
const NAME_CHARS_MAX = 500;
const FILES_MAX = 1_000;
const SKILLS_MAX = 50;
const REVIEWERS_MAX = 100;
export const REVIEWERS_NEEDED_MAX = 5;
export const REVIEW_ROUNDS_MAX = 20;
const ROUNDS_DEFAULT = 5;
const MINUTES_MAX = 30 * 24 * 60;
const MINUTES_DEFAULT = 30;
/** The whole change goes into each REVIEW-REQUEST. */
const CHANGE_BYTES_MAX = 48 * 1_024;

/** A commit, branch or directory: one line. */
const name = z
  .string()
  .min(1)
  .max(NAME_CHARS_MAX)
  .refine((text) => !/\p{Cc}/u.test(text), 'expected one line');
const skillList = z.array(z.string().min(1).max(NAME_CHARS_MAX)).max(SKILLS_MAX);

const change = z
  .strictObject({
    title: z
      .string()
      .trim()
      .min(1)
      .max(TITLE_CHARS_MAX)
      .refine((text) => !/\p{Cc}/u.test(text), 'expected one line'),
    author: actorAddress,
    description: z.string().trim().max(DESCRIPTION_CHARS_MAX).optional(),
    branch: name.optional(),
    commit: name.optional(),
    /** The commit or branch that the change is compared with. */
    base: name.optional(),
    files: z.array(name).max(FILES_MAX).optional(),
    /** A checkout of the change, for reviewers. */
    directory: name.optional(),
    /** Skills that reviewers should have. */
    skills: skillList.optional(),
  })
  .refine((one) => Buffer.byteLength(JSON.stringify(one)) <= CHANGE_BYTES_MAX, `more than ${CHANGE_BYTES_MAX} bytes`);

const reviewInput = z.strictObject({
  change,
  /** Who may be asked; the author never is. */
  reviewers: z
    .array(
      z.union(
        [
          actorAddress.transform((address) => ({ address, skills: [] as string[] })),
          z.strictObject({ address: actorAddress, skills: skillList.default([]) }),
        ],
        'expected an address, or {"address":"…","skills":["…"]}',
      ),
    )
    .max(REVIEWERS_MAX),
  /** How many must approve. Default: 1. */
  reviewersNeeded: z.number().int().min(1).max(REVIEWERS_NEEDED_MAX).default(1),
  rounds: z.number().int().min(1).max(REVIEW_ROUNDS_MAX).default(ROUNDS_DEFAULT),
  /** How long a reviewer or the author may take to answer. */
  minutes: z.number().positive().max(MINUTES_MAX).default(MINUTES_DEFAULT),
  /** The index of the reviewer to ask first; reviewers are asked round-robin. Default: 0. */
  offset: z.number().int().min(0).default(0),
});

/** The input of a review. */
export type ReviewInput = z.input<typeof reviewInput>;

export type Change = z.output<typeof change>;

/** The input after validation, with defaults withReviewers in. */
export interface Review {
  readonly change: Change;
  /** Who may be asked, in the order of asking; without the author. */
  readonly queue: readonly string[];
  readonly reviewersNeeded: number;
  readonly rounds: number;
  readonly minutes: number;
}

/** Throws a TypeError that lists all faults of the input on one line. */
export function parseReview(input: unknown): Review {
  const { reviewers, offset, ...rest } = parseInput(reviewInput, input, {
    what: 'review',
    example: '{"change":{"title":"…","author":"…"},"reviewers":["…"]}',
  });
  const { author, skills: wanted = [] } = rest.change;
  return { ...rest, queue: queueOf(reviewers, { author, wanted, offset }) };
}

export interface Reviewer {
  readonly address: string;
  readonly skills: readonly string[];
}

/**
 * The order in which reviewers are asked: those with most of the wanted skills first, and equals round-robin from the offset.
 * The author is left out, and so are duplicates.
 */
export function queueOf(
  reviewers: readonly Reviewer[],
  { author, wanted, offset }: { readonly author: string; readonly wanted: readonly string[]; readonly offset: number },
): string[] {
  const others = reviewers.filter(
    ({ address }, at) => address !== author && reviewers.findIndex((one) => one.address === address) === at,
  );
  const first = others.length === 0 ? 0 : offset % others.length;
  const ring = [...others.slice(first), ...others.slice(0, first)];
  const known = ({ skills }: Reviewer): number => wanted.filter((skill) => includesFolded(skills, skill)).length;
  return ring.toSorted((a, b) => known(b) - known(a)).map(({ address }) => address);
}

function includesFolded(skills: readonly string[], skill: string): boolean {
  return skills.some((one) => one.toLowerCase() === skill.toLowerCase());
}
