import { z } from 'zod';
import { folded, plain } from '../shared/text.ts';
import { actorAddress, parseInput } from '../shared/input.ts';
import { type DecisionRule, ALGORITHMS } from './algorithms.ts';

/** The vote of a voter who answers and chooses no option. */
export const ABSTAIN = 'abstain';

const OPTION_ID = /^[a-z0-9][a-z0-9._-]*$/i;
const ID_CHARS_MAX = 80;
const TITLE_CHARS_MAX = 200;
export const TEXT_CHARS_MAX = 4_000;
const OPTIONS_MAX = 20;
const VOTERS_MAX = 100;
const SECONDS_MAX = 30 * 24 * 60 * 60;
const SECONDS_DEFAULT = 300;
const QUORUM_DEFAULT = 0.5;
export const EVIDENCE_ITEMS_MAX = 50;
/** All of the input goes into one message, the QUESTION. */
const INPUT_BYTES_MAX = 96 * 1_024;

const title = z
  .string()
  .max(TITLE_CHARS_MAX)
  .transform((text) => plain(text))
  .refine((text) => /[\p{L}\p{N}]/u.test(text) && !/\p{Cc}/u.test(text), 'expected one line with a letter or a digit');

const option = z.strictObject({
  id: z.string().max(ID_CHARS_MAX).regex(OPTION_ID, 'expected letters, digits, dots and hyphens'),
  title: title.optional(),
  description: z.string().trim().max(TEXT_CHARS_MAX).optional(),
  /** Whether the option is the safer one; breaks a tie. */
  isSafer: z.boolean().optional(),
});

const electionInput = z
  .strictObject({
    question: z.string().trim().min(1).max(TEXT_CHARS_MAX),
    options: z.array(option).min(2).max(OPTIONS_MAX),
    /** Whose votes count. Fixed once the vote is open. */
    electorate: z.array(actorAddress).min(1).max(VOTERS_MAX),
    algorithm: z.enum(ALGORITHMS).default('evidence-based'),
    /** How many must answer: up to 1 a fraction of the electorate, from 2 on a number of voters. An abstention is an answer. */
    quorum: z.number().min(0).default(QUORUM_DEFAULT),
    seconds: z.number().positive().max(SECONDS_MAX).default(SECONDS_DEFAULT),
    /** Evidence that is known before anybody votes. */
    evidence: z
      .array(
        z.strictObject({
          option: z.string(),
          items: z.array(z.string().max(TEXT_CHARS_MAX)).max(EVIDENCE_ITEMS_MAX),
        }),
      )
      .max(OPTIONS_MAX)
      .default([]),
    /** The voter who decides a tie that nothing else breaks. */
    expert: actorAddress.optional(),
  })
  .superRefine(({ options, electorate, quorum, evidence, expert, ...rest }, refusal) => {
    const fault = (path: string, message: string): void => refusal.addIssue({ code: 'custom', path: [path], message });
    const names = options.flatMap((one) => namesOf(one)).map((name) => folded(name));
    if (new Set(names).size !== names.length) fault('options', 'two options have the same name');
    if (names.includes(ABSTAIN)) fault('options', `"${ABSTAIN}" cannot be an option: every voter may abstain`);
    const voters = new Set(electorate).size;
    if (quorum > 1 && !Number.isInteger(quorum)) fault('quorum', 'expected a fraction up to 1 or a whole number');
    if (quorum > Math.max(1, voters)) fault('quorum', `${quorum} is more than the ${voters} voters`);
    if (expert !== undefined && !electorate.includes(expert)) fault('expert', `${expert} is not in the electorate`);
    const known = options.map(({ id }) => id);
    const unknown = evidence.find((one) => !known.includes(one.option));
    if (unknown) fault('evidence', `${JSON.stringify(unknown.option)} is none of the options ${known.join(', ')}`);
    const bytes = Buffer.byteLength(JSON.stringify({ options, evidence, ...rest }));
    if (bytes > INPUT_BYTES_MAX) fault('options', `with the evidence ${bytes} bytes, at most ${INPUT_BYTES_MAX}`);
  });

/** The input of a consensus. */
export type ElectionInput = z.input<typeof electionInput>;

export interface Option {
  readonly id: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly isSafer?: boolean | undefined;
}

/** The input after validation, with defaults filled in. */
export interface Election {
  readonly question: string;
  readonly options: readonly Option[];
  readonly electorate: readonly string[];
  readonly algorithm: DecisionRule;
  /** How many voters must answer. */
  readonly quorum: number;
  readonly seconds: number;
  readonly evidence: readonly { readonly option: string; readonly items: readonly string[] }[];
  readonly expert: string | null;
}

/** Throws a TypeError that lists all faults of the input on one line. */
export function parseElection(input: unknown): Election {
  const { electorate, quorum, evidence, expert, ...rest } = parseInput(electionInput, input, {
    what: 'consensus',
    example: '{"question":"…","options":[{"id":"…"},{"id":"…"}],"electorate":["…","…"]}',
  });
  const voters = [...new Set(electorate)];
  return {
    ...rest,
    electorate: voters,
    quorum: quorum <= 1 ? partOf(voters.length, quorum) : quorum,
    evidence: evidence.map(({ option: one, items }) => ({ option: one, items: distinctEvidence(items) })),
    expert: expert ?? null,
  };
}

/** The names by which a vote may refer to an option. */
export function namesOf({ id, title: name }: Option): string[] {
  return name === undefined || folded(name) === folded(id) ? [id] : [id, name];
}

/** The smallest number that is at least this fraction of all. */
function partOf(all: number, part: number): number {
  // Without the rounding, 0.7 of 10 would be 8.
  return Math.ceil(Number((all * part).toFixed(6)));
}

/**
 * Each item once, as it was first written. Items that differ only in case and spaces are the same; items without a letter or
 * a digit are dropped.
 */
export function distinctEvidence(items: readonly string[]): string[] {
  const distinct = new Map<string, string>();
  for (const item of items) {
    const key = folded(item.replaceAll(/\s+/gu, ' '));
    if (/[\p{L}\p{N}]/u.test(key) && !distinct.has(key)) distinct.set(key, plain(item.replaceAll(/\s+/gu, ' ')));
  }
  return [...distinct.values()];
}
