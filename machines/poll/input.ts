import { z } from 'zod';
import { folded, plain } from '../shared/text.ts';
import { actorAddress, parseInput } from '../shared/input.ts';

const OPTION_CHARS_MAX = 200;
const OPTIONS_MAX = 20;
const QUESTION_CHARS_MAX = 4_000;
const VOTERS_MAX = 1_000;
const MINUTES_MAX = 30 * 24 * 60;
const MINUTES_DEFAULT = 5;

/** An option is typed into a shell and compared with the votes, so it is one line with a letter or a digit in it. */
const option = z
  .string()
  .max(OPTION_CHARS_MAX)
  .transform((text) => plain(text))
  .refine((text) => /[\p{L}\p{N}]/u.test(text) && !/\p{Cc}/u.test(text), 'expected one line with a letter or a digit');

const pollInput = z.strictObject({
  question: z.string().trim().min(1).max(QUESTION_CHARS_MAX),
  options: z
    .array(option)
    .min(2)
    .max(OPTIONS_MAX)
    .refine((all) => new Set(all.map((one) => folded(one))).size === all.length, 'two options are the same'),
  /** Who is asked, and whose votes count. Default: everybody. */
  voters: z.array(actorAddress).min(1).max(VOTERS_MAX).optional(),
  minutes: z.number().positive().max(MINUTES_MAX).default(MINUTES_DEFAULT),
  /** How many votes it takes to decide. Default: 1. */
  quorum: z.number().int().min(1).default(1),
});

/** The input of a poll. */
export type PollInput = z.input<typeof pollInput>;

/** The input after validation, with defaults filled in. */
export interface Poll {
  readonly question: string;
  readonly options: readonly string[];
  /** Null when everybody may vote. */
  readonly voters: readonly string[] | null;
  readonly minutes: number;
  readonly quorum: number;
}

/** Throws a TypeError that lists all faults of the input on one line. */
export function parsePoll(input: unknown): Poll {
  const { voters, ...poll } = parseInput(pollInput, input, {
    what: 'poll',
    example: '{"question":"…","options":["…","…"]}',
  });
  return { ...poll, voters: voters ? [...new Set(voters)] : null };
}
