import { assign, sendTo, setup } from 'xstate';
import { describe, expect, it } from 'vitest';
import { machine } from '../../machines/code-review.ts';
import type { ChangesRequested } from '../../machines/code-review/events.ts';
import type { ReviewOutput } from '../../machines/code-review/progress.ts';
import type { ReviewInput } from '../../machines/code-review/review.ts';
import { explore } from '../../src/testing/explore/explore.ts';
import { formatExploration } from '../../src/testing/explore/report.ts';
import { RecordedWorkflow } from './recorded-workflow.ts';
import { commandsIn } from './real-workflow.ts';

const ADDRESS = 'code-review-protocol';
const INPUT: ReviewInput = {
  change: {
    title: "Don't lose mail",
    author: 'alice',
    base: 'main',
    commit: 'abc123',
    directory: '/tmp/a b',
    files: ['a.ts'],
  },
  reviewers: ['alice', 'bob', 'carol'],
};

function begin(over: Partial<ReviewInput> = {}, parent?: string): RecordedWorkflow {
  return new RecordedWorkflow(machine, {
    input: { ...INPUT, ...over },
    address: ADDRESS,
    ...(parent === undefined ? {} : { parent }),
  });
}

const says = (from: string, content: string, data?: unknown): { from: string; type: string; content: string } => ({
  from,
  type: 'REVIEW-FEEDBACK',
  content,
  ...(data === undefined ? {} : { data }),
});
const completed = { from: 'alice', type: 'COMPLETED', content: 'revised, look again' };

/** The id of the first issue in the last message to the author. */
function issueIn(run: RecordedWorkflow): string {
  const { data } = run.everSent.findLast(({ type }) => type === 'QUESTION') ?? {};
  return (data as { issues: { id: string }[] }).issues[0]?.id ?? '';
}

describe('a code review', () => {
  it('asks a reviewer, never the author, with the change and the commands to answer', () => {
    const [request, ...more] = begin().sent;
    expect(more).toEqual([]);
    expect(request).toMatchObject({
      to: ['bob'],
      type: 'REVIEW-REQUEST',
      data: { change: { author: 'alice', commit: 'abc123' }, round: 1 },
    });
    expect(request?.content).toMatch(/^Please review my changes: Don't lose mail\n/);
    expect(request?.content).toContain(
      `  git -C '/tmp/a b' diff --no-color --no-ext-diff --no-textconv 'main...abc123'`,
    );
    const [approve, words, data, decline, ...none] = commandsIn(request ?? { content: '' });
    expect(none).toEqual([]);
    expect(approve).toBe(`  mailroom send ${ADDRESS} REVIEW-FEEDBACK 'approve' --data '{"round":1}'`);
    expect(words).toContain(`REVIEW-FEEDBACK 'request-changes: …`);
    expect(data).toContain(`"verdict":"request-changes"`);
    expect(decline).toBe(`  mailroom send ${ADDRESS} BLOCKED 'I cannot review this'`);
  });

  it('continues in rounds until it is approved, and tells all participants', () => {
    const run = begin().says(says('bob', 'request-changes: no test; evidence: a.ts:1'));
    expect(run.value).toBe('revising-by-author');
    expect(run.sent).toMatchObject([{ to: ['alice'], type: 'QUESTION', data: { round: 1 } }]);
    expect(run.sent[0]?.content).toContain('no test');
    expect(commandsIn(run.sent[0] ?? { content: '' })).toEqual([
      `  mailroom send ${ADDRESS} CHALLENGE '${issueIn(run)} because …; evidence: …'`,
      `  mailroom send ${ADDRESS} COMPLETED 'revised, look again'`,
    ]);
    run.says({ ...completed, content: 'revised; commit: def456' });
    expect(run.sent).toMatchObject([
      { to: ['bob'], type: 'REVIEW-REQUEST', data: { change: { commit: 'def456' }, round: 2 } },
    ]);
    expect(run.sent[0]?.content).toContain('round 2 of 5');
    run.says(says('bob', 'approve', { round: 2 }));
    expect(run.output).toMatchObject({
      outcome: 'approved',
      rounds: 2,
      change: { commit: 'def456' },
      reviewers: ['bob'],
      feedback: [
        {
          round: 1,
          reviewer: 'bob',
          verdict: 'request-changes',
          issues: [{ description: 'no test' }],
          evidence: ['a.ts:1'],
        },
        { round: 2, reviewer: 'bob', verdict: 'approve', messageId: '01900000-0000-7000-8000-000000000003' },
      ],
      disagreements: [],
      statistics: { rounds: 2, approvals: 1, changeRequests: 1, issues: 1, challenges: 0 },
    });
    expect(run.sent).toMatchObject([{ to: ['alice', 'bob'], type: 'INFO', data: { outcome: 'approved' } }]);
    expect(run.sent[0]?.content).toMatch(/^Approved in round 2: Don't lose mail\n/);
  });

  it('says so when no round is left', () => {
    const run = begin({ rounds: 5 });
    for (let round = 1; round < 5; round++) run.says(says('bob', 'request-changes: no')).says(completed);
    expect(run.value).toBe('reviewing');
    run.says(says('bob', 'request-changes: still no'));
    expect(run.output).toMatchObject({ outcome: 'rounds-exhausted', rounds: 5, statistics: { changeRequests: 5 } });
    expect(run.sent[0]?.content).toMatch(/^Not approved after 5 rounds: /);
  });

  it('waits for all reviewers needed, and one objection is enough', () => {
    const run = begin({ reviewersNeeded: 2 });
    expect(run.sent).toMatchObject([{ to: ['bob', 'carol'] }]);
    expect(run.says(says('carol', 'approve')).value).toBe('reviewing');
    expect(run.says(says('bob', 'request-changes: no')).value).toBe('revising-by-author');
    run.says(completed).says(says('bob', 'approve'));
    expect(run.value).toBe('reviewing');
    expect(run.says(says('carol', 'approve')).output).toMatchObject({ outcome: 'approved', rounds: 2 });
  });

  it('counts the last answer of a reviewer', () => {
    const run = begin({ reviewersNeeded: 2 });
    run.says({ ...says('bob', 'approve'), messageId: '01900000-0000-7000-8000-0000000000ff' });
    run.says({ ...says('bob', 'request-changes: no'), messageId: '01900000-0000-7000-8000-0000000000aa' });
    expect(run.says(says('carol', 'approve')).output).toMatchObject({ outcome: 'approved' });
  });

  it('understands an INFO with a verdict, and ignores other INFOs', () => {
    const run = begin();
    expect(run.says({ from: 'bob', type: 'INFO', content: 'I am looking at it' }).sent).toEqual([]);
    expect(run.says({ from: 'carol', type: 'INFO', content: 'approve' }).sent).toEqual([]);
    expect(run.says({ from: 'bob', type: 'INFO', content: 'approve' }).output).toMatchObject({ outcome: 'approved' });
  });

  it('refuses answers of strangers, other reviewers and the author', () => {
    const run = begin();
    for (const from of ['eve', 'carol', 'alice']) {
      run.says(says(from, 'approve', { verdict: 'approve', reviewer: 'bob' }));
      expect(run.sent).toMatchObject([{ to: [from], content: expect.stringContaining('does not count') }]);
    }
    run.says({ from: 'eve', type: 'CHALLENGE', content: 'no' });
    expect(run.sent).toMatchObject([{ to: ['eve'], content: expect.stringContaining('does not count') }]);
    run.says({ ...completed, from: 'eve' });
    expect(run.sent).toMatchObject([{ to: ['eve'] }]);
    run.says(completed);
    expect(run.sent).toMatchObject([{ to: ['alice'], content: expect.stringContaining('waits for bob') }]);
    expect(run.value).toBe('reviewing');
  });

  it('replies to a faulty answer with the fault and the commands', () => {
    const run = begin().says(says('bob', 'approve once it is tested'));
    expect(run.sent).toMatchObject([{ to: ['bob'], content: expect.stringContaining('with a condition') }]);
    expect(commandsIn(run.sent[0] ?? { content: '' })).toHaveLength(4);
    run.says(says('bob', 'request-changes: no'));
    run.says(says('bob', 'approve'));
    expect(run.sent).toMatchObject([{ to: ['bob'], content: expect.stringContaining('alice is revising') }]);
    run.says({ ...completed, from: 'bob' });
    expect(run.sent).toMatchObject([{ to: ['bob'], content: expect.stringContaining('does not count') }]);
    run.says({ ...completed, data: { commit: '--force' } });
    expect(run.sent).toMatchObject([{ to: ['alice'], content: expect.stringContaining('expected a commit') }]);
    expect(run.value).toBe('revising-by-author');
  });
});

describe('an absent reviewer', () => {
  it('is replaced when mail cannot reach it, and the failure is recorded', () => {
    const run = begin().failsToReach('bob', 'REVIEW-REQUEST');
    expect(run.sent).toMatchObject([{ to: ['carol'], type: 'REVIEW-REQUEST' }]);
    expect(run.says(says('carol', 'approve')).output).toMatchObject({
      outcome: 'approved',
      gone: [{ reviewer: 'bob', why: 'unreachable' }],
      undelivered: [{ to: 'bob', type: 'REVIEW-REQUEST', code: 'ACTOR_NOT_FOUND' }],
    });
  });

  it('is replaced when it declines or does not answer in time; those who answered are not asked again', () => {
    const run = begin({ reviewersNeeded: 2, reviewers: ['bob', 'carol', 'dave', 'erin'] });
    run.says(says('bob', 'approve')).says({ from: 'carol', type: 'BLOCKED', content: 'I cannot review this' });
    expect(run.sent).toMatchObject([{ to: ['dave'], type: 'REVIEW-REQUEST' }]);
    run.timesOut('patience', 'reviewing');
    expect(run.sent).toMatchObject([{ to: ['erin'], type: 'REVIEW-REQUEST' }]);
    run.says({ from: 'bob', type: 'BLOCKED', content: 'too late, I have answered' });
    expect(run.says(says('erin', 'approve')).output).toMatchObject({
      outcome: 'approved',
      reviewers: ['bob', 'erin'],
      gone: [
        { reviewer: 'carol', why: 'declined' },
        { reviewer: 'dave', why: 'silent' },
      ],
    });
  });

  it('leaves the change without a review if there is no other', () => {
    expect(begin({ reviewers: ['alice'] }).output).toMatchObject({ outcome: 'no-reviewers', feedback: [] });
    expect(begin({ reviewersNeeded: 3 }).output).toMatchObject({ outcome: 'no-reviewers' });
    const lost = begin().failsToReach('bob', 'REVIEW-REQUEST').failsToReach('carol', 'REVIEW-REQUEST');
    expect(lost.output).toMatchObject({ outcome: 'no-reviewers' });
    const silent = begin().timesOut('patience', 'reviewing').timesOut('patience', 'reviewing');
    expect(silent.output).toMatchObject({ outcome: 'no-answer', statistics: { feedback: 0 } });
    expect(silent.sent).toMatchObject([{ to: ['alice'], content: expect.stringMatching(/^Not reviewed, /) }]);
  });
});

describe('an absent author', () => {
  it('ends the review by not answering in time, or by being unreachable', () => {
    const silent = begin().says(says('bob', 'request-changes: no')).timesOut('patience', 'revising-by-author');
    expect(silent.output).toMatchObject({ outcome: 'no-revision', rounds: 1 });
    const lost = begin().says(says('bob', 'request-changes: no')).failsToReach('alice', 'QUESTION');
    expect(lost.output).toMatchObject({
      outcome: 'no-revision',
      undelivered: [{ to: 'alice', type: 'QUESTION', code: 'ACTOR_NOT_FOUND' }],
    });
  });
});

describe('a challenge', () => {
  it('is broadcast as a disagreement, and ends the review when no other issue is left', () => {
    const run = begin().says(says('bob', 'request-changes: no test; evidence: npm test prints 0'));
    const issue = issueIn(run);
    run.says({ from: 'alice', type: 'CHALLENGE', content: `${issue} because it is tested; evidence: t.ts:1` });
    const disagreement = {
      issue,
      round: 1,
      topic: 'no test',
      positions: [
        {
          who: 'bob',
          position: 'no test',
          evidence: ['npm test prints 0'],
          messageId: '01900000-0000-7000-8000-000000000001',
        },
        {
          who: 'alice',
          position: 'it is tested',
          evidence: ['t.ts:1'],
          messageId: '01900000-0000-7000-8000-000000000002',
        },
      ],
    };
    expect(run.output).toMatchObject({ outcome: 'disagreement', disagreements: [disagreement] });
    const [heard, conclusion] = run.sent;
    expect(heard).toMatchObject({ to: ['all'], type: 'CHALLENGE', data: disagreement });
    for (const part of ['no test', 'npm test prints 0', 'it is tested', 't.ts:1'])
      expect(heard?.content).toContain(part);
    expect(heard?.content).toMatch(/\nNeed consensus vote!$/);
    expect(commandsIn(conclusion ?? { content: '' })).toEqual([
      expect.stringContaining(
        `mailroom run machines/consensus.ts --as consensus-engine.${issue.replace('.', '-')} --input '`,
      ),
    ]);
  });

  it('leaves the other issues to be revised, and is shown to the reviewer', () => {
    const run = begin().says(says('bob', 'request-changes:\n- no test\n- typo'));
    run.says({ from: 'carol', type: 'CHALLENGE', content: `${issueIn(run)} it is tested` });
    expect(run.value).toBe('revising-by-author');
    expect(run.sent).toMatchObject([{ to: ['all'], content: expect.stringMatching(/\nNeed consensus vote!$/) }]);
    expect(commandsIn(run.sent[0] ?? { content: '' })).toHaveLength(1);
    run.says(completed);
    expect(run.sent[0]?.content).toContain('Challenged: no test\n  carol: it is tested');
    expect(run.says(says('bob', 'approve')).output).toMatchObject({
      outcome: 'approved',
      disagreements: [{ topic: 'no test' }],
      withdrawn: [expect.stringMatching(/^0{7}1\.1$/)],
      statistics: { challenges: 1 },
    });
  });

  it('is answered with its fault if it names no issue', () => {
    const run = begin().says({ from: 'alice', type: 'CHALLENGE', content: 'I do not like it' });
    expect(run.sent).toMatchObject([{ to: ['alice'], content: expect.stringContaining('there is no issue') }]);
    run.says(says('bob', 'request-changes:\n- one\n- two')).says({ from: 'alice', type: 'CHALLENGE', content: 'no' });
    expect(run.sent).toMatchObject([
      { to: ['alice'], content: expect.stringContaining('names none of the open issues') },
    ]);
    expect(commandsIn(run.sent[0] ?? { content: '' })).toHaveLength(2);
  });
});

describe('a review that has a parent', () => {
  it('sends the requested changes to the parent, and waits for the parent alone', () => {
    const run = begin({}, 'loop').says(says('bob', 'request-changes: no test'));
    expect(run.sent).toEqual([]);
    expect(run.toParent).toMatchObject([
      { type: 'CHANGES-REQUESTED', round: 1, issues: [{ reviewer: 'bob', description: 'no test' }] },
    ]);
    expect(run.toParent[0]?.['feedback']).toContain(`mailroom send ${ADDRESS} CHALLENGE '`);
    run.says(completed);
    expect(run.sent).toMatchObject([
      { to: ['alice'], content: expect.stringContaining('the one who gave you the task') },
    ]);
    run.happens({ type: 'REVISED', commit: 'def456', note: 'merged' });
    expect(run.sent).toMatchObject([
      { to: ['bob'], type: 'REVIEW-REQUEST', data: { change: { commit: 'def456' }, round: 2 } },
    ]);
    run.says(says('bob', 'approve'));
    expect(run.output).toMatchObject({ outcome: 'approved', rounds: 2 });
    expect(run.sent).toEqual([]);
  });

  it('ends as a disagreement, with the reviewed commit, when it is revised while an issue is challenged', () => {
    const run = begin({}, 'loop').says(says('bob', 'request-changes:\n- no test\n- typo'));
    const [requested] = run.toParent as readonly unknown[] as readonly ChangesRequested[];
    const issue = requested?.issues[0]?.id;
    run.says({ from: 'alice', type: 'CHALLENGE', content: `${issue} it is tested` });
    expect(run.value).toBe('revising-by-parent');
    run.happens({ type: 'REVISED', commit: 'def456', note: 'without the typo' });
    expect(run.sent).toEqual([]);
    expect(run.output).toMatchObject({ outcome: 'disagreement', change: { commit: 'abc123' }, rounds: 1 });
    expect((run.output as ReviewOutput).disagreements).toMatchObject([{ issue }]);
    expect(run.output).not.toHaveProperty('withdrawn');
  });

  it('continues with the parent’s events, as a workflow of its own', () => {
    const parent = setup({
      types: {
        context: {} as { output: ReviewOutput | null },
        events: {} as ChangesRequested,
        output: {} as ReviewOutput | null,
      },
      actors: { review: machine },
    }).createMachine({
      id: 'loop',
      context: { output: null },
      initial: 'reviewing',
      states: {
        reviewing: {
          on: { 'CHANGES-REQUESTED': { actions: sendTo('review', { type: 'REVISED', commit: 'def456' }) } },
          invoke: {
            id: 'review',
            src: 'review',
            systemId: ADDRESS,
            input: { ...INPUT, rounds: 2 },
            onDone: { target: 'done', actions: assign({ output: ({ event }) => event.output }) },
          },
        },
        done: { type: 'final' },
      },
      output: ({ context }) => context.output,
    });
    const explored = explore({
      workflows: { loop: { machine: parent } },
      agents: {
        alice: {},
        bob: {
          answers: ({ type }) =>
            type === 'REVIEW-REQUEST'
              ? [
                  { type: 'REVIEW-FEEDBACK', content: 'approve' },
                  { type: 'REVIEW-FEEDBACK', content: 'request-changes: no' },
                ]
              : undefined,
        },
        carol: {},
      },
      summarize: ({ workflows: { loop } }) => {
        const { outcome, rounds, change } = (loop?.output ?? {}) as Partial<ReviewOutput>;
        return `${loop?.status}: ${outcome} in round ${rounds} of ${change?.commit}`;
      },
    });
    console.log(`${explored.states} states of a review with a parent looked at`);
    expect(explored.isComplete).toBe(true);
    expect(explored.ends.map(({ summary }) => summary).sort(), formatExploration(explored)).toEqual([
      'done: approved in round 1 of abc123',
      'done: approved in round 2 of def456',
      'done: no-answer in round 1 of abc123',
      'done: no-answer in round 2 of def456',
      'done: rounds-exhausted in round 2 of def456',
    ]);
    expect([...explored.violations, ...explored.failedSteps, ...explored.endless]).toEqual([]);
  });
});

it('ends in a defined outcome for every order of feedback, challenges, failures and deadlines', () => {
  const sends = (type: string, content: string): { to: string; type: string; content: string } => ({
    to: ADDRESS,
    type,
    content,
  });
  const explored = explore({
    workflows: {
      [ADDRESS]: { machine, input: { ...INPUT, reviewers: ['nobody', 'bob', 'carol'], rounds: 2 } },
    },
    agents: {
      alice: { sends: [sends('COMPLETED', 'revised'), sends('CHALLENGE', 'it is right')] },
      bob: { sends: [sends('REVIEW-FEEDBACK', 'request-changes: no'), sends('REVIEW-FEEDBACK', 'approve')] },
      carol: { sends: [sends('BLOCKED', 'no time')] },
    },
    invariant: ({ workflows: { [ADDRESS]: one } }) => {
      const { feedback = [], reviewers = [] } = (one?.context ?? {}) as Partial<ReviewOutput>;
      if (reviewers.includes('alice')) return 'the author reviews';
      const seen = feedback.map(({ round, reviewer }) => `${round} ${reviewer}`);
      return new Set(seen).size === seen.length ? undefined : 'a reviewer counts twice in a round';
    },
    summarize: ({ workflows: { [ADDRESS]: one } }) =>
      `${one?.status}: ${(one?.output as { outcome?: string } | undefined)?.outcome}`,
  });
  console.log(`${explored.states} states of a review looked at`);
  expect(explored.isComplete).toBe(true);
  expect(explored.ends.map(({ summary }) => summary).sort(), formatExploration(explored)).toEqual([
    'done: approved',
    'done: disagreement',
    'done: no-answer',
    'done: no-revision',
  ]);
  expect([...explored.violations, ...explored.failedSteps, ...explored.endless]).toEqual([]);
});
