/** How votes become a decision. */
export const ALGORITHMS = [
  'evidence-based',
  'simple-majority',
  'supermajority',
  'unanimous',
  'confidence-weighted',
] as const;

export type Algorithm = (typeof ALGORITHMS)[number];

/** What stands behind an option. */
export interface Score {
  readonly option: string;
  readonly votes: number;
  /** The sum over its votes. */
  readonly confidence: number;
  /** How many distinct items. */
  readonly evidence: number;
  /** The mean of what its voters say of their research; null when none does. */
  readonly researchQuality: number | null;
}

/** The options that share the first place, or why there is none. */
export type Placing = { readonly leading: readonly string[] } | { readonly outcome: 'no-majority' | 'no-evidence' };

/**
 * Who comes first among options that somebody has voted for, at least one; abstentions are not among the votes. A tie is
 * several options in the first place, where any one of them alone would have won.
 */
export function place(algorithm: Algorithm, scores: readonly Score[]): Placing {
  return PLACINGS[algorithm](scores);
}

const PLACINGS: Readonly<Record<Algorithm, (scores: readonly Score[]) => Placing>> = {
  'simple-majority': (scores) =>
    // Two halves are the one tie that a casting vote makes a majority of.
    mostVoted(scores, ({ most, all, tied }) => most * 2 > all || (most * 2 === all && tied === 2)),
  supermajority: (scores) => mostVoted(scores, ({ most, all }) => most * 3 >= all * 2),
  unanimous: (scores) => mostVoted(scores, ({ most, all }) => most === all),
  'confidence-weighted': (scores) => ({ leading: optionsOf(greatest(scores, ({ confidence }) => confidence)) }),
  'evidence-based': (scores) => {
    const best = greatest(scores, ({ evidence }) => evidence);
    if (best.every(({ evidence }) => evidence === 0)) return { outcome: 'no-evidence' };
    return { leading: optionsOf(greatest(best, ({ confidence }) => confidence)) };
  },
};

/** The options with most votes, where those are enough. */
function mostVoted(
  scores: readonly Score[],
  isEnough: (votes: { readonly most: number; readonly all: number; readonly tied: number }) => boolean,
): Placing {
  const leading = greatest(scores, ({ votes }) => votes);
  const most = leading[0]?.votes ?? 0;
  const all = scores.reduce((sum, { votes }) => sum + votes, 0);
  return isEnough({ most, all, tied: leading.length }) ? { leading: optionsOf(leading) } : { outcome: 'no-majority' };
}

/** Those that have most of something. */
export function greatest(scores: readonly Score[], measure: (score: Score) => number): Score[] {
  const most = Math.max(...scores.map((score) => measure(score)));
  return scores.filter((score) => measure(score) === most);
}

function optionsOf(scores: readonly Score[]): string[] {
  return scores.map(({ option }) => option);
}
