/** The rules by which votes become a decision. */
export const ALGORITHMS = [
  'evidence-based',
  'simple-majority',
  'supermajority',
  'unanimous',
  'confidence-weighted',
] as const;

export type DecisionRule = (typeof ALGORITHMS)[number];

/** The support of one option. */
export interface Score {
  readonly option: string;
  readonly votes: number;
  /** Sum over its votes. */
  readonly confidence: number;
  /** Number of distinct items. */
  readonly evidence: number;
  /** Mean of the research quality that its voters state; null if none of them does. */
  readonly researchQuality: number | null;
}

/** The options in first place, or why there is none. */
export type Placing = { readonly leading: readonly string[] } | { readonly outcome: 'no-majority' | 'no-evidence' };

/**
 * The first place among options with at least one vote each; abstentions are not counted as votes. Several options in first
 * place are a tie: each of them alone would have won.
 */
export function place(algorithm: DecisionRule, scores: readonly Score[]): Placing {
  return PLACINGS[algorithm](scores);
}

const PLACINGS: Readonly<Record<DecisionRule, (scores: readonly Score[]) => Placing>> = {
  'simple-majority': (scores) =>
    // Two halves are the only tie that a casting vote turns into a majority.
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

/** The options with most votes, if those are enough. */
function mostVoted(
  scores: readonly Score[],
  isEnough: (votes: { readonly most: number; readonly all: number; readonly tied: number }) => boolean,
): Placing {
  const leading = greatest(scores, ({ votes }) => votes);
  const most = leading[0]?.votes ?? 0;
  const all = scores.reduce((sum, { votes }) => sum + votes, 0);
  return isEnough({ most, all, tied: leading.length }) ? { leading: optionsOf(leading) } : { outcome: 'no-majority' };
}

/** The scores with the greatest measure. */
export function greatest(scores: readonly Score[], measure: (score: Score) => number): Score[] {
  const most = Math.max(...scores.map((score) => measure(score)));
  return scores.filter((score) => measure(score) === most);
}

function optionsOf(scores: readonly Score[]): string[] {
  return scores.map(({ option }) => option);
}
