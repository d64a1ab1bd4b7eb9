import { greatest, place, type Score } from './algorithms.ts';
import type { Ballot } from './ballot.ts';
import { ABSTAIN, distinctEvidence, type Election } from './election.ts';

export type Outcome =
  | 'decided'
  /** Several share the first place, and no tie-break tells them apart. */
  | 'tie'
  /** Fewer voters than the quorum have answered, but some have. */
  | 'no-quorum'
  /** The options that were voted for have no evidence, and evidence was to decide. */
  | 'no-evidence'
  /** No option has the part of the votes that it takes. */
  | 'no-majority'
  | 'all-abstained'
  /** Nobody has answered. */
  | 'no-votes';

export interface Tally {
  readonly outcome: Outcome;
  /** The option that was decided on. */
  readonly option?: string;
  /** The options that shared the first place, where they were several. */
  readonly tied?: readonly string[];
  /** What made it one of them. */
  readonly tieBreak?: TieBreak;
  /** In the order of the options. */
  readonly scores: readonly Score[];
  /** Every vote that was counted, by the names of the voters; an abstention is one. */
  readonly votes: readonly Ballot[];
  readonly abstentions: number;
  readonly quorum: number;
  /** Voters of whom no vote came. */
  readonly missing: readonly string[];
}

/** Counts one vote of each voter, the one sent last. In which order they come, and how often each, does not matter. */
export function tally(election: Election, given: readonly Ballot[]): Tally {
  const { options, electorate, algorithm, quorum, expert } = election;
  const votes = lastBallots(given).filter(({ voter }) => electorate.includes(voter));
  const scores = options.map(({ id }) => scoreOf(id, election, votes));
  const abstentions = votes.filter(({ option }) => option === ABSTAIN).length;
  const missing = electorate.filter((one) => !votes.some(({ voter }) => voter === one));
  const facts = { scores, votes, abstentions, quorum, missing };

  if (votes.length === 0) return { outcome: 'no-votes', ...facts };
  if (votes.length < quorum) return { outcome: 'no-quorum', ...facts };
  if (abstentions === votes.length) return { outcome: 'all-abstained', ...facts };
  const candidates = scores.filter((score) => score.votes > 0);
  const placing = place(algorithm, candidates);
  if ('outcome' in placing) return { outcome: placing.outcome, ...facts };
  const [option = '', ...others] = placing.leading;
  if (others.length === 0) return { outcome: 'decided', option, ...facts };
  const broken = breakTie({
    tied: candidates.filter((score) => placing.leading.includes(score.option)),
    safer: options.filter(({ isSafer }) => isSafer).map(({ id }) => id),
    expertsChoice: votes.find(({ voter }) => voter === expert)?.option,
  });
  const tied = placing.leading;
  return broken ? { outcome: 'decided', ...broken, tied, ...facts } : { outcome: 'tie', tied, ...facts };
}

/** Of each voter the ballot that was sent last, by the names of the voters. */
export function lastBallots(ballots: readonly Ballot[]): Ballot[] {
  const last = new Map<string, Ballot>();
  for (const ballot of ballots) {
    const before = last.get(ballot.voter);
    if (!before || before.messageId < ballot.messageId) last.set(ballot.voter, ballot);
  }
  return [...last.values()].sort((a, b) => (a.voter < b.voter ? -1 : 1));
}

function scoreOf(option: string, { evidence }: Election, votes: readonly Ballot[]): Score {
  const own = votes.filter((vote) => vote.option === option);
  const given = evidence.filter((one) => one.option === option).flatMap(({ items }) => items);
  const qualities = own.map(({ researchQuality }) => researchQuality).filter((quality) => quality !== null);
  return {
    option,
    votes: own.length,
    confidence: sum(own.map(({ confidence }) => confidence)),
    evidence: distinctEvidence([...given, ...own.flatMap((vote) => vote.evidence)]).length,
    researchQuality: qualities.length === 0 ? null : sum(qualities) / qualities.length,
  };
}

/** Counted in thousandths, so that 0.1 and 0.2 tie with 0.3. */
function sum(parts: readonly number[]): number {
  return parts.reduce((all, part) => all + Math.round(part * 1_000), 0) / 1_000;
}

export type TieBreak = 'research-quality' | 'safer' | 'expert';

interface Tie {
  /** Of the options that share the first place, at least two. */
  readonly tied: readonly Score[];
  /** The options that are declared the safer ones. */
  readonly safer: readonly string[];
  /** What the named expert has voted for; undefined where there is none, or no vote. */
  readonly expertsChoice: string | undefined;
}

/**
 * Breaks a tie by the first of these that leaves one option: the best research, the safer one, the expert's vote. One that
 * leaves several still takes the others out. Undefined when several are left in the end.
 */
function breakTie({ tied, safer, expertsChoice }: Tie): { option: string; tieBreak: TieBreak } | undefined {
  const breaks: readonly (readonly [tieBreak: TieBreak, narrow: (left: readonly Score[]) => Score[]])[] = [
    ['research-quality', (left) => greatest(left, ({ researchQuality }) => researchQuality ?? 0)],
    ['safer', (left) => left.filter(({ option }) => safer.includes(option))],
    ['expert', (left) => left.filter(({ option }) => option === expertsChoice)],
  ];
  let left = tied;
  for (const [tieBreak, narrow] of breaks) {
    const narrowed = narrow(left);
    const [only, ...others] = narrowed;
    if (only && others.length === 0) return { option: only.option, tieBreak };
    if (only) left = narrowed;
  }
  return undefined;
}
