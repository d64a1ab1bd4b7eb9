import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALGORITHMS } from '../../machines/consensus/algorithms.ts';
import { readBallot, type Ballot } from '../../machines/consensus/ballot.ts';
import {
  ABSTAIN,
  distinctEvidence,
  type Election,
  type ElectionInput,
  parseElection,
} from '../../machines/consensus/election.ts';
import { lastBallots, tally } from '../../machines/consensus/tally.ts';
import { amount } from '../run/amount.ts';

const VOTERS = ['alice', 'bob', 'carol', 'dave', 'constructor'];
const OPTIONS = ['postgres', 'sqlite', 'none'];

const OUTCOMES = ['decided', 'tie', 'no-quorum', 'no-evidence', 'no-majority', 'all-abstained', 'no-votes'];

const electionOf = (over: Partial<ElectionInput> = {}): Election =>
  parseElection({
    question: 'Which database?',
    options: OPTIONS.map((id) => ({ id, isSafer: id === 'sqlite' })),
    electorate: VOTERS,
    quorum: 1 / VOTERS.length,
    ...over,
  });

const unit = fc.integer({ min: 0, max: 10 }).map((tenths) => tenths / 10);
const ballot = fc.record({
  voter: fc.constantFrom(...VOTERS, 'stranger'),
  option: fc.constantFrom(...OPTIONS, ABSTAIN),
  confidence: unit,
  evidence: fc.array(fc.constantFrom('a.ts:1', 'A.ts:1', 'b.ts:2', 'measured'), { maxLength: 3 }),
  reason: fc.constant(''),
  researchQuality: fc.option(unit),
  messageId: fc.uuid({ version: 7 }),
});
const ballots = fc.uniqueArray(ballot, { maxLength: 12, selector: ({ messageId }) => messageId });
const elections = fc
  .record({
    algorithm: fc.constantFrom(...ALGORITHMS),
    quorum: fc.constantFrom(0, 0.2, 0.5, 2, 1),
    expert: fc.constantFrom(undefined, ...VOTERS),
    safer: fc.subarray(OPTIONS),
    evidence: fc.subarray(OPTIONS).map((some) => some.map((option) => ({ option, items: ['a.ts:1', 'given'] }))),
  })
  .map(({ safer, expert, ...rest }) =>
    electionOf({
      ...rest,
      options: OPTIONS.map((id) => ({ id, isSafer: safer.includes(id) })),
      ...(expert === undefined ? {} : { expert }),
    }),
  );

let made = 0;
const by = (voter: string, option: string, over: Partial<Ballot> = {}): Ballot => ({
  voter,
  option,
  confidence: 1,
  evidence: [],
  reason: '',
  researchQuality: null,
  messageId: `id-${String(++made).padStart(6, '0')}`,
  ...over,
});

describe('a tally', () => {
  it('does not depend on the order or repetition of the ballots', () => {
    const shuffled = ballots.chain((given) =>
      fc.record({
        given: fc.constant(given),
        again: fc.shuffledSubarray([...given, ...given], { minLength: given.length * 2 }),
      }),
    );
    fc.assert(
      fc.property(elections, shuffled, (election, { given, again }) => {
        expect(tally(election, again)).toEqual(tally(election, given));
      }),
    );
  });

  it('can be computed one ballot at a time', () => {
    fc.assert(
      fc.property(elections, ballots, (election, given) => {
        const folded = given.reduce<readonly Ballot[]>((before, next) => lastBallots([...before, next]), []);
        expect(tally(election, folded)).toEqual(tally(election, given));
      }),
    );
  });

  it('has the same winner when one more voter abstains, unless that makes the quorum', () => {
    let compared = 0;
    fc.assert(
      fc.property(elections, ballots, fc.constantFrom(...VOTERS), (election, given, voter) => {
        const others = given.filter((one) => one.voter !== voter);
        const before = tally(election, others);
        const after = tally(election, [...others, by(voter, ABSTAIN)]);
        if (before.outcome === 'no-votes' || before.outcome === 'no-quorum') return;
        compared += 1;
        const { outcome, option, tied, tieBreak } = before;
        expect({ ...after }).toMatchObject({ outcome, ...(option === undefined ? {} : { option }) });
        expect([after.tied, after.tieBreak]).toEqual([tied, tieBreak]);
      }),
    );
    console.log(`${compared} tallies compared with one more abstention`);
    expect(compared).toBeGreaterThan(0);
  });

  it('ends in a defined outcome, and a decision is for an option with a vote', () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(elections, ballots, (election, given) => {
        const { outcome, option, votes, scores, quorum, missing, tied, tieBreak } = tally(election, given);
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
        expect(option !== undefined).toBe(outcome === 'decided');
        expect(option === undefined || votes.some((one) => one.option === option)).toBe(true);
        expect(option).not.toBe(ABSTAIN);
        expect(outcome === 'no-votes').toBe(votes.length === 0);
        expect(outcome === 'no-quorum').toBe(votes.length > 0 && votes.length < quorum);
        expect([...missing, ...votes.map(({ voter }) => voter)].sort()).toEqual([...VOTERS].sort());
        expect(scores.reduce((sum, one) => sum + one.votes, 0)).toBe(
          votes.filter((one) => one.option !== ABSTAIN).length,
        );
        // A tie-break chooses among tied options, and only if there are some.
        expect((tied?.length ?? 2) > 1).toBe(true);
        expect(tied !== undefined).toBe(outcome === 'tie' || tieBreak !== undefined);
        expect(tieBreak === undefined || (outcome === 'decided' && tied?.includes(option ?? ''))).toBe(true);
      }),
      { numRuns: amount(200, { long: 1_000 }) },
    );
    console.log(`outcomes seen: ${[...seen].map(([outcome, times]) => `${outcome} ${times}`).join(', ')}`);
    expect(OUTCOMES).toEqual(expect.arrayContaining([...seen.keys()]));
  });

  const outcomes: readonly (readonly [outcome: string, over: Partial<ElectionInput>, votes: readonly Ballot[]])[] = [
    ['no-votes', {}, []],
    ['no-votes', { quorum: 0 }, []],
    ['no-votes', {}, [by('stranger', 'none', { evidence: ['x'] })]],
    ['no-quorum', { quorum: 2 }, [by('alice', 'none', { evidence: ['x'] })]],
    ['no-quorum', { quorum: 2 }, [by('alice', ABSTAIN)]],
    ['all-abstained', { quorum: 2 }, [by('alice', ABSTAIN), by('bob', ABSTAIN)]],
    ['decided', { quorum: 2 }, [by('alice', ABSTAIN), by('bob', 'none', { evidence: ['x'] })]],
    ['no-evidence', {}, [by('alice', 'none')]],
  ];
  it.each(outcomes)('is %s with %j and %j', (outcome, over, votes) => {
    expect(tally(electionOf(over), votes).outcome).toBe(outcome);
  });

  it('counts the last message of each voter, and nobody outside the electorate', () => {
    fc.assert(
      fc.property(elections, ballots, (election, given) => {
        for (const counted of tally(election, given).votes) {
          const ids = given.filter(({ voter }) => voter === counted.voter).map(({ messageId }) => messageId);
          expect(counted.messageId).toBe(ids.sort().at(-1));
          expect(VOTERS).toContain(counted.voter);
        }
      }),
    );
  });
});

describe('an algorithm', () => {
  const cases: readonly (readonly [
    title: string,
    algorithm: (typeof ALGORITHMS)[number],
    votes: readonly Ballot[],
    expected: object,
  ])[] = [
    [
      'simple-majority takes more than half',
      'simple-majority',
      [by('alice', 'none'), by('bob', 'none'), by('carol', 'postgres')],
      { outcome: 'decided', option: 'none' },
    ],
    [
      'simple-majority has none for two of four when the others differ',
      'simple-majority',
      [by('alice', 'none'), by('bob', 'none'), by('carol', 'postgres'), by('dave', 'sqlite')],
      { outcome: 'no-majority' },
    ],
    [
      'simple-majority does not count abstentions',
      'simple-majority',
      [by('alice', 'none'), by('bob', ABSTAIN), by('carol', ABSTAIN)],
      { outcome: 'decided', option: 'none', abstentions: 2 },
    ],
    [
      'simple-majority breaks the tie of two halves',
      'simple-majority',
      [by('alice', 'none'), by('bob', 'sqlite')],
      { outcome: 'decided', option: 'sqlite', tied: ['sqlite', 'none'], tieBreak: 'safer' },
    ],
    [
      'supermajority takes two thirds',
      'supermajority',
      [by('alice', 'none'), by('bob', 'none'), by('carol', 'postgres')],
      { outcome: 'decided', option: 'none' },
    ],
    [
      'supermajority has none for three of five',
      'supermajority',
      [
        by('alice', 'none'),
        by('bob', 'none'),
        by('carol', 'none'),
        by('dave', 'postgres'),
        by('constructor', 'postgres'),
      ],
      { outcome: 'no-majority' },
    ],
    [
      'supermajority breaks no tie',
      'supermajority',
      [by('alice', 'none'), by('bob', 'sqlite')],
      { outcome: 'no-majority' },
    ],
    [
      'unanimous takes all',
      'unanimous',
      [by('alice', 'none'), by('bob', 'none')],
      { outcome: 'decided', option: 'none' },
    ],
    [
      'unanimous has none with one against',
      'unanimous',
      [by('alice', 'none'), by('bob', 'none'), by('carol', 'sqlite')],
      { outcome: 'no-majority' },
    ],
    [
      'confidence-weighted takes the greatest sum, not the most votes',
      'confidence-weighted',
      [
        by('alice', 'none', { confidence: 0.2 }),
        by('bob', 'none', { confidence: 0.3 }),
        by('carol', 'postgres', { confidence: 0.6 }),
      ],
      { outcome: 'decided', option: 'postgres' },
    ],
    [
      'confidence-weighted ties 0.1 and 0.2 with 0.3',
      'confidence-weighted',
      [
        by('alice', 'none', { confidence: 0.1 }),
        by('bob', 'none', { confidence: 0.2 }),
        by('carol', 'postgres', { confidence: 0.3 }),
      ],
      { outcome: 'tie', tied: ['postgres', 'none'] },
    ],
    [
      'evidence-based takes most distinct evidence, whoever has most votes',
      'evidence-based',
      [
        by('alice', 'none', { evidence: ['a.ts:1', 'A.ts:1 '] }),
        by('bob', 'none', { evidence: [' a.ts:1'] }),
        by('carol', 'postgres', { evidence: ['b.ts:2', 'c.ts:3'], confidence: 0.1 }),
      ],
      { outcome: 'decided', option: 'postgres' },
    ],
    [
      'evidence-based takes the confidence next',
      'evidence-based',
      [
        by('alice', 'none', { evidence: ['a.ts:1'], confidence: 0.9 }),
        by('bob', 'postgres', { evidence: ['a.ts:1'], confidence: 0.8 }),
      ],
      { outcome: 'decided', option: 'none' },
    ],
    [
      'evidence-based decides nothing without evidence',
      'evidence-based',
      [by('alice', 'none'), by('bob', 'none')],
      { outcome: 'no-evidence' },
    ],
  ];
  it.each(cases)('%s', (_title, algorithm, votes, expected) => {
    expect(tally(electionOf({ algorithm }), votes)).toMatchObject(expected);
  });

  it('counts evidence from before the vote for options with votes', () => {
    const election = electionOf({
      evidence: [
        { option: 'postgres', items: ['a.ts:1', 'x', 'y', 'z'] },
        { option: 'none', items: ['a.ts:1', 'b.ts:2'] },
      ],
    });
    const votes = [by('alice', 'none', { evidence: ['A.TS:1'] }), by('bob', 'sqlite', { evidence: ['c.ts:3'] })];
    const result = tally(election, votes);
    expect(result).toMatchObject({ outcome: 'decided', option: 'none' });
    expect(result.scores.map(({ evidence }) => evidence)).toEqual([4, 1, 2]);
  });
});

describe('a tie', () => {
  const tied = (...over: readonly Partial<Ballot>[]): Ballot[] =>
    ['postgres', 'none', 'sqlite'].map((option, at) =>
      by(VOTERS[at] ?? '', option, { evidence: ['a.ts:1'], ...over[at] }),
    );
  const options = (...safer: readonly string[]): ElectionInput['options'] =>
    OPTIONS.map((id) => ({ id, isSafer: safer.includes(id) }));

  it('is broken by the research before anything else', () => {
    const votes = tied({ researchQuality: 0.6 }, { researchQuality: 0.9 }, {});
    expect(tally(electionOf({ expert: 'alice', options: options('sqlite') }), votes)).toMatchObject({
      option: 'none',
      tieBreak: 'research-quality',
    });
  });

  it('is broken by the safer option, before the expert', () => {
    expect(tally(electionOf({ expert: 'alice', options: options('sqlite') }), tied())).toMatchObject({
      option: 'sqlite',
      tieBreak: 'safer',
    });
  });

  it('is broken by the expert among the options that the other rules leave', () => {
    const election = electionOf({ expert: 'alice', options: options('postgres', 'none') });
    expect(tally(election, tied())).toMatchObject({ option: 'postgres', tieBreak: 'expert' });
    // The expert's option is out already, for its poor research.
    const votes = tied({ researchQuality: 0.1 }, { researchQuality: 0.9 }, { researchQuality: 0.9 });
    expect(tally(electionOf({ expert: 'alice', options: options() }), votes)).toMatchObject({
      outcome: 'tie',
      tied: ['postgres', 'sqlite', 'none'],
    });
  });

  it('stays a tie if no rule decides', () => {
    expect(tally(electionOf({ options: options() }), tied())).toMatchObject({ outcome: 'tie', tied: OPTIONS });
  });
});

describe('evidence', () => {
  it('is one item in any spelling, in the words that came first', () => {
    expect(distinctEvidence([' Test  passes', 'test passes\n', 'TEST PASSES', '…', '', 'other'])).toEqual([
      'Test passes',
      'other',
    ]);
  });
});

describe('a message', () => {
  const election = parseElection({
    question: 'Which?',
    options: [{ id: 'pg', title: 'PostgreSQL' }, { id: 'sqlite-3' }],
    electorate: VOTERS,
  });
  const read = (type: string, content: string, data?: unknown): unknown => {
    const reading = readBallot({ type, content, data }, election);
    return 'choice' in reading ? reading.choice : 'fault' in reading ? reading.fault : undefined;
  };

  it('is a vote in words', () => {
    expect(read('VOTE', 'pg because it scales; evidence: bench/a.md; Evidence: b.ts:1; confidence: 80%')).toEqual({
      option: 'pg',
      confidence: 0.8,
      evidence: ['bench/a.md', 'b.ts:1'],
      reason: 'it scales',
      researchQuality: null,
    });
    expect(read('INFO', 'vote:SQLite-3 because one file\nevidence: x\nresearch quality: .5')).toMatchObject({
      option: 'sqlite-3',
      evidence: ['x'],
      reason: 'one file',
      researchQuality: 0.5,
    });
    expect(read('VOTE', 'Abstain, because I cannot know')).toMatchObject({ option: ABSTAIN });
    expect(read('VOTE', 'vote: postgresql')).toMatchObject({ option: 'pg' });
    expect(read('INFO', 'sqlite-3')).toMatchObject({ option: 'sqlite-3' });
  });

  it('is a vote by its data, which take precedence over the text', () => {
    const data = { option: 'pg', confidence: 0.4, evidence: ['a', 'A'], researchQuality: 1, more: true };
    expect(read('VOTE', 'words; confidence: 1; evidence: b', data)).toMatchObject({
      option: 'pg',
      confidence: 0.4,
      evidence: ['a', 'b'],
      researchQuality: 1,
    });
    expect(read('INFO', 'words', { option: 'pg' })).toMatchObject({ option: 'pg' });
  });

  it('is a vote with a fault if it is meant as a vote', () => {
    expect(read('VOTE', 'mysql')).toBe('"mysql" is none of the options');
    expect(read('INFO', 'vote:mysql')).toBe('"mysql" is none of the options');
    expect(read('VOTE', '<option> because …')).toMatch(/none of the options/);
    expect(read('VOTE', 'pg; confidence: high')).toBe('confidence: expected a number from 0 to 1');
    expect(read('VOTE', 'pg; confidence: 7')).toBe('confidence: expected a number from 0 to 1');
    expect(read('VOTE', 'pg', { confidence: 2 })).toMatch(/^data\.confidence: /);
    expect(read('VOTE', 'pg', ['pg'])).toMatch(/^data: /);
    expect(read('VOTE', 'pg', { evidence: ['x'.repeat(20_000)] })).toMatch(/^the vote has 20\d+ bytes, at most 16384/);
  });

  it('is no vote if the text names no option', () => {
    expect(read('INFO', 'I am looking at it')).toBeUndefined();
    expect(read('INFO', 'pg is what I know best')).toBeUndefined();
  });

  it('is always one of these three', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('VOTE', 'INFO'),
        fc.string({ unit: 'grapheme' }),
        fc.jsonValue(),
        (type, text, data) => {
          const [kind, ...others] = Object.keys(readBallot({ type, content: text, data }, election));
          expect(others).toEqual([]);
          expect(type === 'VOTE' ? ['choice', 'fault'] : ['choice', 'fault', 'isNone']).toContain(kind);
        },
      ),
    );
  });
});

describe('the input of a consensus', () => {
  const good = { question: 'Which?', options: [{ id: 'a' }, { id: 'b' }], electorate: ['alice', 'bob', 'alice'] };

  it('gets its defaults', () => {
    expect(parseElection(good)).toEqual({
      question: 'Which?',
      options: [{ id: 'a' }, { id: 'b' }],
      electorate: ['alice', 'bob'],
      algorithm: 'evidence-based',
      quorum: 1,
      seconds: 300,
      evidence: [],
      expert: null,
    });
  });

  it.each([
    [0, 0],
    [0.7, 7],
    [0.61, 7],
    [1, 10],
    [2, 2],
  ])('reads the quorum %s of ten voters as %s answers', (quorum, answers) => {
    const electorate = Array.from({ length: 10 }, (_, at) => `voter-${at}`);
    expect(parseElection({ ...good, electorate, quorum }).quorum).toBe(answers);
  });

  const wrong: readonly (readonly [title: string, over: object, message: RegExp])[] = [
    ['there is no electorate', { electorate: undefined }, /input\.electorate/],
    ['nobody votes', { electorate: [] }, /input\.electorate/],
    ['everybody is a voter', { electorate: ['all'] }, /input\.electorate\.0: expected an address/],
    ['there is one option', { options: [{ id: 'a' }] }, /input\.options/],
    ['two options are the same', { options: [{ id: 'a' }, { id: 'b', title: 'A ' }] }, /the same name/],
    ['an option is called abstain', { options: [{ id: 'a' }, { id: 'Abstain' }] }, /"abstain" cannot be an option/],
    ['an option needs quoting', { options: [{ id: 'a b' }, { id: 'c' }] }, /input\.options\.0\.id/],
    ['the quorum is no number of people', { quorum: 1.5 }, /input\.quorum/],
    ['the quorum is more than all', { quorum: 3 }, /3 is more than the 2 voters/],
    ['the expert has no vote', { expert: 'carol' }, /carol is not in the electorate/],
    ['the evidence is for nothing', { evidence: [{ option: 'c', items: ['x'] }] }, /"c" is none of the options/],
    ['the algorithm is unknown', { algorithm: 'loudest' }, /input\.algorithm/],
    ['a name is misspelt', { quorums: 1 }, /quorums/],
    [
      'it fits no message',
      { evidence: [{ option: 'a', items: Array.from({ length: 50 }, () => 'x'.repeat(4_000)) }] },
      /bytes, at most/,
    ],
  ];
  it.each(wrong)('is refused on one line when %s', (_title, over, message) => {
    expect(() => parseElection({ ...good, ...over })).toThrow(message);
    expect(() => parseElection({ ...good, ...over })).toThrow(/^Invalid consensus: [^\n]*$/);
  });
});
