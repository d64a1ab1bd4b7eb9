import { folded } from '../shared/text.ts';
/** One vote, by the message that it was. */
export interface Vote {
  /** The verified sender. */
  readonly voter: string;
  readonly option: string;
  /** A UUIDv7: of two votes of one voter, the one with the greater id was sent later. */
  readonly messageId: string;
}

/** What votes are counted by. */
export interface Rules {
  readonly options: readonly string[];
  /** Null when everybody may vote. */
  readonly voters: readonly string[] | null;
  /** How many votes it takes to decide. */
  readonly quorum: number;
}

export interface Tally {
  readonly outcome: 'decided' | 'tie' | 'no-quorum';
  /** The option that was decided on. */
  readonly option?: string;
  /** The options that have most votes, where they are several. */
  readonly tied?: readonly string[];
  /** In the order of the options. */
  readonly counts: readonly { readonly option: string; readonly votes: number }[];
  /** Every vote that was counted. */
  readonly votes: readonly Vote[];
  readonly quorum: number;
  /** Voters of whom no vote came. */
  readonly missing: readonly string[];
}

/**
 * Counts one vote of each voter, the one sent last; most votes win. In which order the votes come, and how often each, does
 * not matter.
 */
export function tally({ options, voters, quorum }: Rules, given: readonly Vote[]): Tally {
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

/** Of each voter the vote that was sent last, by the names of the voters. */
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
 * The option that a vote is for; undefined when it is none. The text is the option, whatever its capitals and spaces, or
 * begins with it and goes on with "because …", a colon, a semicolon, a dash or a new line. Nothing else is guessed.
 */
export function optionOf(text: string, options: readonly string[]): string | undefined {
  const [firstLine = ''] = text.trim().split('\n');
  const said = folded(firstLine).replace(/^(["'`])(.*)\1$/u, '$2');
  const exact = options.find((one) => [said, said.replace(/[.!]+$/u, '')].includes(folded(one)));
  if (exact !== undefined) return exact;
  // One option may be the beginning of another.
  const longestFirst = options.toSorted((a, b) => b.length - a.length);
  return longestFirst.find((one) => said.startsWith(folded(one)) && REASON.test(said.slice(folded(one).length)));
}

const REASON = /^(?:,? because\b| ?[:;–—]| - )/u;
