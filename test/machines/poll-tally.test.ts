import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lastVotes, optionOf, tally, type Rules, type Vote } from '../../machines/poll/tally.ts';
import { parsePoll } from '../../machines/poll/input.ts';
import { questionText } from '../../machines/poll/text.ts';

const OPTIONS = ['postgres', 'sqlite', 'no database'];

/** Ids as they sort: by the time of sending. */
const vote = fc.record({
  voter: fc.constantFrom('alice', 'bob', 'carol', 'constructor', '7'),
  option: fc.constantFrom(...OPTIONS),
  messageId: fc.uuid({ version: 7 }),
});
const votes = fc.uniqueArray(vote, { maxLength: 12, selector: ({ messageId }) => messageId });
const rules = fc.record({
  options: fc.constant(OPTIONS),
  voters: fc.constantFrom(null, ['alice', 'bob', 'dave']),
  quorum: fc.integer({ min: 1, max: 4 }),
});

const by = (voter: string, option: string, id: number): Vote => ({ voter, option, messageId: `id-${id}` });
const rulesOf = (over: Partial<Rules> = {}): Rules => ({ options: OPTIONS, voters: null, quorum: 1, ...over });

describe('a tally', () => {
  it('does not depend on the order or repetition of the votes', () => {
    const shuffled = votes.chain((given) =>
      fc.record({
        given: fc.constant(given),
        again: fc
          .shuffledSubarray([...given, ...given], { minLength: given.length * 2 })
          .chain((twice) => fc.constant(twice)),
      }),
    );
    fc.assert(
      fc.property(rules, shuffled, (one, { given, again }) => {
        expect(tally(one, again)).toEqual(tally(one, given));
      }),
    );
  });

  it('can be computed one vote at a time', () => {
    fc.assert(
      fc.property(rules, votes, (one, given) => {
        const folded = given.reduce<readonly Vote[]>((before, next) => lastVotes([...before, next]), []);
        expect(tally(one, folded)).toEqual(tally(one, given));
      }),
    );
  });

  it('counts the last vote of each voter once, with its message', () => {
    fc.assert(
      fc.property(rules, votes, (one, given) => {
        const { votes: counted, counts } = tally(one, given);
        const voters = counted.map(({ voter }) => voter);
        expect(voters).toEqual([...new Set(given.map(({ voter }) => voter))].sort());
        for (const last of counted) {
          const ids = given.filter(({ voter }) => voter === last.voter).map(({ messageId }) => messageId);
          expect(last.messageId).toBe(ids.sort().at(-1));
        }
        expect(counts.reduce((sum, { votes: count }) => sum + count, 0)).toBe(counted.length);
      }),
    );
  });

  it('decides for an option only if it has more votes than any other and the quorum is reached', () => {
    fc.assert(
      fc.property(rules, votes, (one, given) => {
        const { outcome, option, tied, counts, votes: counted } = tally(one, given);
        const most = Math.max(...counts.map((each) => each.votes));
        const leading = counts.filter((each) => each.votes === most).map((each) => each.option);
        const expected = counted.length < one.quorum ? 'no-quorum' : leading.length === 1 ? 'decided' : 'tie';
        expect({ outcome, option, tied }).toEqual({
          outcome: expected,
          option: expected === 'decided' ? leading[0] : undefined,
          tied: expected === 'tie' ? leading : undefined,
        });
      }),
    );
  });

  it('has no quorum when nobody votes', () => {
    expect(tally(rulesOf({ voters: ['alice', 'bob'] }), [])).toMatchObject({
      outcome: 'no-quorum',
      votes: [],
      missing: ['alice', 'bob'],
    });
  });

  it('is a tie only of the options with most votes', () => {
    const given = [by('alice', 'sqlite', 1), by('bob', 'postgres', 2)];
    expect(tally(rulesOf(), given)).toMatchObject({ outcome: 'tie', tied: ['postgres', 'sqlite'] });
  });

  it('lets a later vote replace an earlier one, in any order of arrival', () => {
    const given = [by('alice', 'sqlite', 2), by('alice', 'postgres', 1)];
    expect(tally(rulesOf(), given)).toMatchObject({ outcome: 'decided', option: 'sqlite' });
  });
});

describe('the text of a vote', () => {
  const cases: readonly (readonly [text: string, option: string | undefined])[] = [
    ['sqlite', 'sqlite'],
    ['  SQLite.\n', 'sqlite'],
    ['"sqlite"', 'sqlite'],
    ['sqlite because one file is enough', 'sqlite'],
    ['sqlite, because one file is enough', 'sqlite'],
    ['sqlite: one file is enough', 'sqlite'],
    ['sqlite — one file is enough', 'sqlite'],
    ['sqlite\nOne file is enough.', 'sqlite'],
    ['No  database', 'no database'],
    ['sqlite3', undefined],
    ['sqlite or postgres', undefined],
    ['not sqlite', undefined],
    ['mysql because we know it', undefined],
    ['', undefined],
  ];
  it.each(cases)('%j is a vote for %s', (text, option) => {
    expect(optionOf(text, OPTIONS)).toBe(option);
  });

  it('is the longer option if one is a prefix of the other', () => {
    const options = ['yes', 'yes - later', 'yes because I must'];
    expect(optionOf('yes because I must', options)).toBe('yes because I must');
    expect(optionOf('yes - later because I am busy', options)).toBe('yes - later');
    expect(optionOf('yes because I can', options)).toBe('yes');
  });

  it('may be any option, and any option with a reason, for arbitrary options', () => {
    const option = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.uniqueArray(option, { minLength: 2, maxLength: 6 }), (given) => {
        const options = optionsOf(given);
        fc.pre(options !== undefined);
        for (const one of options) {
          expect(optionOf(one, options)).toBe(one);
          expect(options).toContain(optionOf(`${one} because it is`, options));
        }
      }),
    );
  });
});

/** The options as a poll has them; undefined if the poll would be invalid. */
function optionsOf(options: string[]): readonly string[] | undefined {
  try {
    return parsePoll({ question: 'Which?', options }).options;
  } catch {
    return undefined;
  }
}

describe('the input of a poll', () => {
  it('gets its defaults', () => {
    const poll = parsePoll({ question: ' Which? ', options: ['a ', 'b'], voters: ['alice', 'alice'] });
    expect(poll).toEqual({ question: 'Which?', options: ['a', 'b'], voters: ['alice'], minutes: 5, quorum: 1 });
  });

  it('shows every option as a shell word in the question', () => {
    const poll = parsePoll({ question: 'Which?', options: [`don't`, '$HOME'] });
    const text = questionText(poll, 'poll');
    expect(text).toContain(`mailroom send poll VOTE 'don'\\''t'`);
    expect(text).toContain(`mailroom send poll VOTE '$HOME'`);
  });

  const wrong: readonly (readonly [title: string, input: unknown, message: RegExp])[] = [
    ['nothing', undefined, /^Invalid poll: input: .*Expected, for example: /],
    ['one option', { question: 'Which?', options: ['a'] }, /input\.options: /],
    ['two equal options', { question: 'Which?', options: ['Yes', ' yes'] }, /two options are the same/],
    [
      'an option of several lines',
      { question: 'Which?', options: ['a\nb', 'c'] },
      /input\.options\.0: expected one line/,
    ],
    ['an option that a shell command reads as its input', { question: 'Which?', options: ['-', 'c'] }, /options\.0/],
    [
      'everybody as a voter',
      { question: 'Which?', options: ['a', 'b'], voters: ['all'] },
      /voters\.0: expected an addr/,
    ],
    ['no time', { question: 'Which?', options: ['a', 'b'], minutes: 0 }, /input\.minutes/],
    ['a misspelt name', { question: 'Which?', options: ['a', 'b'], quorums: 2 }, /quorums/],
  ];
  it.each(wrong)('is refused on one line when it is %s', (_title, input, message) => {
    expect(() => parsePoll(input)).toThrow(message);
    expect(() => parsePoll(input)).toThrow(/^[^\n]*$/);
  });
});
