import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readChallenge, withChallenge, type Disagreement } from '../../machines/code-review/disagreement.ts';
import { readFeedback, type Feedback, type OpenIssue } from '../../machines/code-review/feedback.ts';
import { parseReview, queueOf } from '../../machines/code-review/review.ts';
import { readRevision } from '../../machines/code-review/revision.ts';
import { openDisagreements, standing, statisticsOf, withFeedback } from '../../machines/code-review/progress.ts';
import { electionOf } from '../../machines/code-review/vote.ts';
import { parseElection } from '../../machines/consensus/election.ts';
import { tally } from '../../machines/consensus/tally.ts';

const ID = '01900000-0000-7000-8000-0000000000ab';

const reviewers = (...names: readonly string[]): { address: string; skills: string[] }[] =>
  names.map((name) => ({ address: name, skills: [] }));

describe('the queue of reviewers', () => {
  const ring = { author: 'alice', wanted: [], offset: 0 };

  it('starts with the reviewer at the offset, round-robin', () => {
    const all = reviewers('bob', 'carol', 'dave');
    const firsts = [0, 1, 2, 3, 4].map((offset) => queueOf(all, { ...ring, offset })[0]);
    expect(firsts).toEqual(['bob', 'carol', 'dave', 'bob', 'carol']);
    expect(queueOf(all, { ...ring, offset: 1 })).toEqual(['carol', 'dave', 'bob']);
  });

  it('has reviewers with most of the wanted skills first, and equals round-robin', () => {
    const all = [
      { address: 'bob', skills: ['css'] },
      { address: 'carol', skills: ['SQL', 'css'] },
      { address: 'dave', skills: [] },
      { address: 'erin', skills: ['sql'] },
    ];
    expect(queueOf(all, { ...ring, wanted: ['sql', 'css'] })).toEqual(['carol', 'bob', 'erin', 'dave']);
    expect(queueOf(all, { ...ring, wanted: ['sql', 'css'], offset: 1 })).toEqual(['carol', 'erin', 'bob', 'dave']);
  });

  it('has everybody once and never the author, and spreads the first place evenly', () => {
    const names = fc.array(fc.constantFrom('alice', 'bob', 'carol', 'dave', 'erin'), { maxLength: 8 });
    fc.assert(
      fc.property(names, fc.constantFrom('alice', 'bob'), fc.nat({ max: 50 }), (some, author, offset) => {
        const queue = queueOf(reviewers(...some), { author, wanted: [], offset });
        const others = [...new Set(some)].filter((one) => one !== author);
        expect([...queue].sort()).toEqual(others.sort());
        const firsts = others.map(
          (_, at) => queueOf(reviewers(...some), { author, wanted: [], offset: offset + at })[0],
        );
        expect(new Set(firsts).size).toBe(others.length);
      }),
    );
  });
});

const review = parseReview({ change: { title: 'Sync', author: 'alice' }, reviewers: ['bob', 'carol'] });
const read = (type: string, content: string, data?: unknown): unknown => {
  const reading = readFeedback({ type, content, data, messageId: ID }, { review, round: 2 });
  return 'feedback' in reading ? reading.feedback : 'fault' in reading ? reading.fault : undefined;
};

describe('feedback', () => {
  it.each([
    'approve',
    'Approved.',
    'LGTM!',
    'approve because it is right; if in doubt, ask',
    'approve: nothing to do unless you like to',
    'approve, well done',
    'review: approve',
  ])('approves by %j', (text) => {
    expect(read('REVIEW-FEEDBACK', text)).toMatchObject({ verdict: 'approve', issues: [], messageId: ID });
    expect(read('INFO', text)).toMatchObject({ verdict: 'approve' });
  });

  it.each([
    'approve once the tests pass',
    'approve, but rename it',
    "approve. It doesn't build",
    'approve if you add a test',
  ])('is not approved by %j', (text) => {
    expect(read('REVIEW-FEEDBACK', text)).toMatch(/an approval with a condition is none/);
  });

  it('requests changes in words', () => {
    expect(
      read('REVIEW-FEEDBACK', 'request-changes: no test; evidence: a.ts:1; suggestion: rename; issue: typo'),
    ).toEqual({
      verdict: 'request-changes',
      issues: [
        { id: '000000ab.1', description: 'no test', evidence: [] },
        { id: '000000ab.2', description: 'typo', evidence: [] },
      ],
      suggestions: ['rename'],
      evidence: ['a.ts:1'],
      messageId: ID,
    });
    expect(read('INFO', 'Changes requested:\n- one\n* two\n3. three')).toMatchObject({
      issues: [{ description: 'one' }, { description: 'two' }, { description: 'three' }],
    });
    expect(read('REVIEW-FEEDBACK', 'request changes because it is slow\nEvidence: bench.md')).toMatchObject({
      issues: [{ description: 'because it is slow' }],
      evidence: ['bench.md'],
    });
  });

  it('can be given as data', () => {
    const data = {
      verdict: 'request-changes',
      issues: [{ description: 'no  test', file: 'a.ts', evidence: 'npm test' }, 'typo'],
      suggestions: ['rename'],
      evidence: ['a.ts:1', 'A.ts:1'],
      round: 2,
      more: 1,
    };
    expect(read('INFO', 'see the data', data)).toMatchObject({
      issues: [
        { id: '000000ab.1', description: 'no test', file: 'a.ts', evidence: ['npm test'] },
        { id: '000000ab.2', description: 'typo' },
      ],
      suggestions: ['rename'],
      evidence: ['a.ts:1'],
    });
  });

  it.each<readonly [string, unknown, RegExp]>([
    ['words', undefined, /"words" has no verdict/],
    ['approver', undefined, /has no verdict/],
    ['request-changes', undefined, /does not say what must change/],
    ['request-changes: …; evidence: …; suggestion: …', undefined, /does not say what must change/],
    ['request-changes', { issues: [{ description: '…' }] }, /does not say what must change/],
    ['approve', { round: 1 }, /it is about round 1, and this is round 2/],
    ['approve', { issues: ['typo'] }, /an approval has no issues/],
    ['approve', { verdict: 'maybe' }, /^data\.verdict: /],
    ['approve', 'data', /^data: /],
    [`request-changes: ${'x'.repeat(2_001)}`, undefined, /an issue has more than 2000 characters/],
    ['request-changes: x', { evidence: ['y'.repeat(20_000)] }, /bytes, at most 16384/],
  ])('has a fault: %j with %j', (text, data, fault) => {
    expect(read('REVIEW-FEEDBACK', text, data)).toMatch(fault);
  });

  it('is none if the text has no verdict', () => {
    expect(read('INFO', 'I am looking at it')).toBeUndefined();
    expect(read('INFO', 'approvers are many')).toBeUndefined();
  });
});

const feedbackOf = (reviewer: string, verdict: Feedback['verdict'], over: Partial<Feedback> = {}): Feedback => ({
  round: 1,
  reviewer,
  verdict,
  issues: verdict === 'approve' ? [] : [{ id: `${reviewer}.1`, description: `${reviewer} objects`, evidence: [] }],
  suggestions: [],
  evidence: [],
  messageId: `id-${reviewer}`,
  ...over,
});
const disagreementOn = (issue: string): Disagreement => ({ issue, round: 1, topic: '', positions: [] });

describe('a round', () => {
  const cases: readonly (readonly [standing: string, feedback: readonly Feedback[], challenged: readonly string[]])[] =
    [
      ['waiting', [], []],
      ['waiting', [feedbackOf('bob', 'request-changes')], []],
      ['waiting', [feedbackOf('bob', 'approve'), feedbackOf('dave', 'approve')], []],
      ['waiting', [feedbackOf('bob', 'approve'), feedbackOf('carol', 'approve', { round: 2 })], []],
      ['approved', [feedbackOf('bob', 'approve'), feedbackOf('carol', 'approve')], []],
      ['approved', [feedbackOf('bob', 'approve'), feedbackOf('carol', 'approve')], ['bob.1']],
      ['changes-requested', [feedbackOf('bob', 'approve'), feedbackOf('carol', 'request-changes')], []],
      ['changes-requested', [feedbackOf('bob', 'request-changes'), feedbackOf('carol', 'request-changes')], ['bob.1']],
      ['disputed', [feedbackOf('bob', 'approve'), feedbackOf('carol', 'request-changes')], ['carol.1']],
    ];
  it.each(cases)('is %s', (expected, feedback, challenged) => {
    const disagreements = challenged.map((issue) => disagreementOn(issue));
    expect(standing({ round: 1, reviewers: ['bob', 'carol'], feedback, disagreements })).toBe(expected);
  });

  it('has all disagreements open that are in the last feedback of their reviewer, even of a replaced one', () => {
    const feedback = [
      feedbackOf('bob', 'request-changes'),
      feedbackOf('carol', 'request-changes'),
      feedbackOf('carol', 'approve', { round: 2 }),
    ];
    const disagreements = [disagreementOn('bob.1'), disagreementOn('carol.1')];
    expect(openDisagreements({ feedback, disagreements })).toEqual([disagreementOn('bob.1')]);
    expect(standing({ round: 2, reviewers: ['carol'], feedback, disagreements })).toBe('disputed');
  });

  it('does not depend on the order or repetition of the feedback', () => {
    const one = fc.record({
      reviewer: fc.constantFrom('bob', 'carol', 'constructor'),
      verdict: fc.constantFrom('approve' as const, 'request-changes' as const),
      messageId: fc.uuid({ version: 7 }),
    });
    const some = fc.uniqueArray(one, { maxLength: 8, selector: ({ messageId }) => messageId });
    const shuffled = some.chain((given) =>
      fc.record({
        given: fc.constant(given),
        again: fc.shuffledSubarray([...given, ...given], { minLength: given.length * 2 }),
      }),
    );
    fc.assert(
      fc.property(shuffled, ({ given, again }) => {
        const take = (all: typeof given): readonly Feedback[] =>
          all.reduce<readonly Feedback[]>(
            (before, { reviewer, verdict, messageId }) =>
              withFeedback(before, feedbackOf(reviewer, verdict, { messageId })),
            [],
          );
        expect(take(again)).toEqual(take(given));
        for (const { reviewer, messageId } of take(given)) {
          const ids = given.filter((each) => each.reviewer === reviewer).map((each) => each.messageId);
          expect(messageId).toBe(ids.sort().at(-1));
        }
      }),
    );
  });
});

const open: readonly OpenIssue[] = ['bob', 'carol'].map((reviewer) => {
  const feedback = feedbackOf(reviewer, 'request-changes', { evidence: [`${reviewer} saw it`] });
  return { issue: { id: `${reviewer}.1`, description: `${reviewer} objects`, evidence: [] }, feedback };
});

describe('a challenge', () => {
  const challenge = (from: string, content: string, data?: unknown, among = open): unknown => {
    const reading = readChallenge({ from, content, data, messageId: ID }, among);
    return 'fault' in reading
      ? reading.fault
      : [reading.challenge.against.issue.id, reading.challenge.position.position, reading.challenge.position.evidence];
  };

  it('is understood in words and as data', () => {
    expect(challenge('alice', 'carol.1 because it is tested; evidence: t.ts:1; evidence: T.ts:1')).toEqual([
      'carol.1',
      'it is tested',
      ['t.ts:1'],
    ]);
    expect(challenge('alice', 'carol.1: it is tested; and more')).toEqual(['carol.1', 'it is tested; and more', []]);
    expect(challenge('alice', 'words', { issue: 'bob.1', position: 'no', evidence: 'x' })).toEqual([
      'bob.1',
      'no',
      ['x'],
    ]);
    // The only issue by another reviewer.
    expect(challenge('bob', 'I do not see it')).toEqual(['carol.1', 'I do not see it', []]);
  });

  it.each<readonly [string, string, unknown, RegExp]>([
    ['alice', 'it is tested', undefined, /names none of the open issues by others: bob\.1, carol\.1/],
    ['bob', 'bob.1 because I was wrong', undefined, /names none of the open issues by others: carol\.1/],
    ['alice', 'carol.1 because …; evidence: …', undefined, /gives no reason/],
    ['alice', 'x', { evidence: 7 }, /^data\.evidence: /],
    ['alice', `carol.1 ${'x'.repeat(3_000)}`, undefined, /3000 characters, at most 2000/],
    ['alice', 'carol.1 no', { evidence: ['x'.repeat(5_000)] }, /bytes, at most 4096/],
  ])('from %s has a fault: %j with %j', (from, content, data, fault) => {
    expect(challenge(from, content, data)).toMatch(fault);
  });

  it('is refused when there is no issue', () => {
    expect(challenge('alice', 'no', undefined, [])).toBe('there is no issue for you to challenge');
  });

  it('becomes a disagreement with both positions, the last one sent by each side', () => {
    const [against] = open;
    if (!against) throw new Error('there is an issue');
    const position = (
      who: string,
      id: number,
    ): { who: string; position: string; evidence: string[]; messageId: string } => ({
      who,
      position: `${who} ${id}`,
      evidence: [`e${id}`],
      messageId: `id-${id}`,
    });
    const given = [position('alice', 1), position('alice', 3), position('carol', 2)];
    fc.assert(
      fc.property(fc.shuffledSubarray([...given, ...given], { minLength: 6 }), (shuffled) => {
        const after = shuffled.reduce<readonly Disagreement[]>(
          (before, one) => withChallenge(before, { against, position: one }) ?? before,
          [],
        );
        expect(after).toEqual([
          {
            issue: 'bob.1',
            round: 1,
            topic: 'bob objects',
            positions: [
              { who: 'bob', position: 'bob objects', evidence: ['bob saw it'], messageId: 'id-bob' },
              position('carol', 2),
              position('alice', 3),
            ],
          },
        ]);
      }),
    );
  });

  it('is refused when there are too many', () => {
    const long = 'x'.repeat(2_000);
    let disagreements: readonly Disagreement[] | undefined = [];
    let taken = 0;
    while (disagreements && taken < 1_000) {
      const feedback = feedbackOf('bob', 'request-changes');
      const against = { issue: { id: `bob.${taken}`, description: long, evidence: [] }, feedback };
      disagreements = withChallenge(disagreements, {
        against,
        position: { who: 'alice', position: long, evidence: [], messageId: `id-${taken}` },
      });
      taken += 1;
    }
    console.log(`${taken - 1} large disagreements fit`);
    expect(taken).toBeLessThan(20);
  });

  it('can always be voted on, and the evidence of both sides counts', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 3_000 });
    const position = fc.record({
      who: fc.constantFrom('alice', 'bob'),
      position: text,
      evidence: fc.array(text, { maxLength: 60 }),
      messageId: fc.uuid(),
    });
    fc.assert(
      fc.property(text, fc.array(position, { minLength: 2, maxLength: 4 }), (topic, positions) => {
        const input = electionOf({ issue: 'bob.1', round: 1, topic, positions }, ['alice', 'bob']);
        // A vote whose evidence alone exceeds a message is refused with the reason.
        fc.pre(Buffer.byteLength(JSON.stringify(input)) < 90_000);
        expect(parseElection(input).options.map(({ id }) => id)).toEqual(['change', 'keep']);
      }),
      { numRuns: 30 },
    );
    const sides = electionOf(
      {
        issue: 'bob.1',
        round: 1,
        topic: 'no test',
        positions: [
          { who: 'bob', position: 'no test', evidence: ['a'], messageId: '1' },
          { who: 'alice', position: 'it is tested', evidence: ['b', 'c'], messageId: '2' },
        ],
      },
      ['alice', 'bob'],
    );
    const vote = { confidence: 1, evidence: [], reason: '', researchQuality: null };
    const result = tally(parseElection(sides), [
      { ...vote, voter: 'bob', option: 'change', messageId: '3' },
      { ...vote, voter: 'alice', option: 'keep', messageId: '4' },
    ]);
    expect(result).toMatchObject({ outcome: 'decided', option: 'keep' });
  });
});

describe('a revision', () => {
  it('is any text of the author, and may name a commit', () => {
    expect(readRevision({ content: 'revised, look again', data: undefined })).toEqual({
      revision: { note: 'revised, look again' },
    });
    expect(readRevision({ content: 'done; commit: 1a2b3c4d', data: undefined })).toEqual({
      revision: { commit: '1a2b3c4d', note: 'done' },
    });
    expect(readRevision({ content: 'done', data: { commit: 'feature/x' } })).toMatchObject({
      revision: { commit: 'feature/x' },
    });
    for (const commit of ['', '--force', 'a b', 7]) {
      expect(readRevision({ content: 'done', data: { commit } })).toMatchObject({
        fault: expect.stringContaining('commit'),
      });
    }
  });
});

describe('the statistics', () => {
  it('count verdicts, issues, suggestions and evidence', () => {
    const feedback = [
      feedbackOf('bob', 'request-changes', { evidence: ['x'], suggestions: ['a', 'b'] }),
      feedbackOf('bob', 'approve', { round: 2 }),
      feedbackOf('carol', 'approve', { round: 2 }),
    ];
    const positions = ['bob', 'alice', 'carol'].map((who) => ({ who, position: '', evidence: [], messageId: who }));
    expect(statisticsOf({ round: 2, feedback, disagreements: [{ ...disagreementOn('bob.1'), positions }] })).toEqual({
      rounds: 2,
      feedback: 3,
      approvals: 2,
      changeRequests: 1,
      issues: 1,
      suggestions: 2,
      evidence: 1,
      disagreements: 1,
      challenges: 2,
      reviewers: [
        { reviewer: 'bob', feedback: 2, issues: 1 },
        { reviewer: 'carol', feedback: 1, issues: 0 },
      ],
    });
  });
});

describe('the input of a review', () => {
  const good = { change: { title: ' Sync ', author: 'alice' }, reviewers: ['alice', 'bob', { address: 'carol' }] };

  it('gets its defaults', () => {
    expect(parseReview(good)).toEqual({
      change: { title: 'Sync', author: 'alice' },
      queue: ['bob', 'carol'],
      reviewersNeeded: 1,
      rounds: 5,
      minutes: 30,
    });
  });

  const wrong: readonly (readonly [title: string, input: unknown, message: RegExp])[] = [
    ['nothing', undefined, /Invalid review: input: /],
    ['without an author', { ...good, change: { title: 'Sync' } }, /input\.change\.author/],
    ['without reviewers', { change: good.change }, /input\.reviewers/],
    ['by everybody', { ...good, reviewers: ['all'] }, /input\.reviewers\.0: expected an address, or/],
    ['without rounds', { ...good, rounds: 0 }, /input\.rounds/],
    ['misspelt', { ...good, reviewer: 'bob' }, /reviewer/],
    ['of a title of two lines', { ...good, change: { title: 'a\nb', author: 'alice' } }, /input\.change\.title/],
    [
      'too large for a message',
      { ...good, change: { ...good.change, files: Array.from({ length: 400 }, (_, at) => `${at}`.padEnd(400, 'x')) } },
      /input\.change: more than 49152 bytes/,
    ],
  ];
  it.each(wrong)('is refused on one line when it is %s', (_title, input, message) => {
    expect(() => parseReview(input)).toThrow(message);
    expect(() => parseReview(input)).toThrow(/^[^\n]*$/);
  });
});
