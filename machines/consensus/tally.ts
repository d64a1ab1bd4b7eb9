import { greatest, place, type Score } from './algorithms.ts';
import type { Ballot } from './ballot.ts';
import { ABSTAIN, distinctEvidence, type Election } from './election.ts';

export type ConsensusOutcome =
  | 'decided'
  /** Several options share first place, and no tie-break decides. */
  | 'tie'
  /** Some voters have answered, but fewer than the quorum. */
  | 'no-quorum'
  /** The algorithm is `evidence-based`, and no option that got votes has evidence. */
  | 'no-evidence'
  /** No option has the share of the votes that the algorithm asks for. */
  | 'no-majority'
  | 'all-abstained'
  /** Nobody has answered. */
  | 'no-votes';

export interface ConsensusTally {
  readonly outcome: ConsensusOutcome;
  /** The winner; only where the outcome is `decided`. */
  readonly option?: string;
  /** The options that shared first place, where there were several. */
  readonly tied?: readonly string[];
  /** What decided between them. */
  readonly tieBreak?: TieBreak;
  /** In the order of the options. */
  readonly scores: readonly Score[];
  /** Every counted vote, abstentions included, sorted by voter. */
  readonly votes: readonly Ballot[];
  readonly abstentions: number;
  readonly quorum: number;
  /** Voters who have not voted. */
  readonly missing: readonly string[];
}

/** Counts one vote per voter, the last one sent. The order of the ballots and repeated ballots do not change the result. */
export function tally(election: Election, given: readonly Ballot[]): ConsensusTally {
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

/** The last ballot that each voter sent, sorted by voter. */
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
  /** The options that share first place, at least two. */
  readonly tied: readonly Score[];
  /** The options that are declared the safer ones. */
  readonly safer: readonly string[];
  /** The vote of the named expert; undefined if no expert is named or the expert has not voted. */
  readonly expertsChoice: string | undefined;
}

/**
 * Breaks a tie by the first of these that leaves one option: the best research, the safer option, the expert's vote. A rule
 * that leaves several options still removes the rest. Undefined if several are left in the end.
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
