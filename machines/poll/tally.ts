import { folded } from '../shared/text.ts';

/** One vote, and the message that carried it. */
export interface Vote {
  /** The verified sender. */
  readonly voter: string;
  readonly option: string;
  /** A UUIDv7: of two votes of one voter, the one with the greater id was sent later. */
  readonly messageId: string;
}

/** How votes are counted. */
export interface Rules {
  readonly options: readonly string[];
  /** Null when everybody may vote. */
  readonly voters: readonly string[] | null;
  /** How many votes it takes to decide. */
  readonly quorum: number;
}

export interface PollTally {
  readonly outcome: 'decided' | 'tie' | 'no-quorum';
  /** The winner; only where the outcome is `decided`. */
  readonly option?: string;
  /** The options that share the most votes; only where the outcome is `tie`. */
  readonly tied?: readonly string[];
  /** In the order of the options. */
  readonly counts: readonly { readonly option: string; readonly votes: number }[];
  /** Every vote that was counted. */
  readonly votes: readonly Vote[];
  readonly quorum: number;
  /** Voters who have not voted. */
  readonly missing: readonly string[];
}

/**
 * Counts one vote per voter, the last one sent; the option with most votes wins. The order of the votes and repeated votes do
 * not change the result.
 */
export function tally({ options, voters, quorum }: Rules, given: readonly Vote[]): PollTally {
  const votes = lastVotes(given);
  const counts = options.map((option) => ({ option, votes: votes.filter((vote) => vote.option === option).length }));
  const missing = (voters ?? []).filter((voter) => !hasVoted(votes, voter));
  const facts = { counts, votes, quorum, missing };
  if (votes.length < quorum) return { outcome: 'no-quorum', ...facts };
  const most = Math.max(...counts.map((one) => one.votes));
  const leading = counts.filter((one) => one.votes === most).map((one) => one.option);
  const [option = '', ...others] = leading;
  return others.length === 0 ? { outcome: 'decided', option, ...facts } : { outcome: 'tie', tied: leading, ...facts };
}

/** The last vote that each voter sent, sorted by voter. */
export function lastVotes(votes: readonly Vote[]): Vote[] {
  const last = new Map<string, Vote>();
  for (const vote of votes) {
    const before = last.get(vote.voter);
    if (!before || before.messageId < vote.messageId) last.set(vote.voter, vote);
  }
  return [...last.values()].sort((a, b) => (a.voter < b.voter ? -1 : 1));
}

export function hasVoted(votes: readonly Vote[], voter: string): boolean {
  return votes.some((vote) => vote.voter === voter);
}

/**
 * The option that a text votes for, or undefined. The text must be the option (case and spaces are ignored), or begin with it
 * and continue with "because …", a colon, a semicolon, a dash or a new line. Nothing else is guessed.
 */
export function optionOf(text: string, options: readonly string[]): string | undefined {
  const [firstLine = ''] = text.trim().split('\n');
  const line = folded(firstLine).replace(/^(["'`])(.*)\1$/u, '$2');
  const exact = options.find((one) => [line, line.replace(/[.!]+$/u, '')].includes(folded(one)));
  if (exact !== undefined) return exact;
  // One option may be a prefix of another.
  const longestFirst = options.toSorted((a, b) => b.length - a.length);
  return longestFirst.find((one) => line.startsWith(folded(one)) && REASON.test(line.slice(folded(one).length)));
}

const REASON = /^(?:,? because\b| ?[:;–—]| - )/u;
