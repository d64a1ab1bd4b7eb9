import { describe, expect, it } from 'vitest';
import { machine } from '../../machines/autonomous-dev/change.ts';
import type { ChangeInput } from '../../machines/autonomous-dev/change-context.ts';
import type { ChangeReport } from '../../machines/autonomous-dev/change-events.ts';
import { pullRequestText } from '../../machines/autonomous-dev/pull-request.ts';
import type { LoopReport } from '../../machines/autonomous-dev/report.ts';
import type { PlainEvent } from '../../src/step/workflow-state.ts';
import { RecordedWorkflow } from './recorded-workflow.ts';

const INPUT: ChangeInput = {
  task: { id: 'parser', title: 'Parse', description: 'Parse it.', files: [], dependsOn: [], skills: [] },
  agent: 'ben',
  epoch: 1,
  repository: {
    directory: '/repo',
    base: 'a'.repeat(40),
    branch: 'mailroom/costs',
    run: 'r1r1',
    workDirectory: '/work',
  },
  start: 'c0',
  reviewersNeeded: 1,
  rounds: 3,
  reviewMinutes: 10,
  voteSeconds: 60,
};

const disagreementOn = (issue: string): { issue: string; [key: string]: unknown } => ({
  issue,
  round: 1,
  topic: `Policy ${issue}`,
  positions: [
    { who: 'cleo', position: 'strict', evidence: [], messageId: 'm1' },
    { who: 'ben', position: 'lenient', evidence: [], messageId: 'm2' },
  ],
});
const submitted = (commit: string | null): PlainEvent => ({
  type: 'SUBMITTED',
  commit,
  summary: 'done',
  messageId: `of ${commit}`,
  agents: ['cleo', 'ada'],
});
/** A review that has ended. */
const reviewOf = (outcome: string, commit: string, over: object = {}): object => ({
  outcome,
  change: { commit },
  rounds: 1,
  feedback: [],
  disagreements: [],
  gone: [],
  ...over,
});
/** The agent works in its checkout. */
const working = (over: Partial<ChangeInput> = {}): RecordedWorkflow =>
  new RecordedWorkflow(machine, { input: { ...INPUT, ...over }, parent: 'loop' }).done('prepare', {
    directory: '/work/tasks/parser-1',
    branch: 'b',
    base: 'c0',
  });
const handsIn = (run: RecordedWorkflow, commit: string): RecordedWorkflow =>
  run.happens(submitted(commit)).done('check', { commit });
/** The commit is reviewed, and these issues are disputed. */
const voting = (...issues: readonly string[]): RecordedWorkflow =>
  handsIn(working(), 'c1').done(
    'review',
    reviewOf('disagreement', 'c1', { disagreements: issues.map((issue) => disagreementOn(issue)) }),
  );
const voted = (run: RecordedWorkflow, issue: string, option: string): RecordedWorkflow => {
  const actorId = `vote-${issue.replace('.', '-')}`;
  const votes = [
    { voter: 'ada', option, evidence: [`seen in ${issue}`], messageId: '01900000-0000-7000-8000-0000000000aa' },
  ];
  const output = { question: `Policy ${issue}`, outcome: 'decided', option, votes, missing: [] };
  return run.happens({ type: `xstate.done.actor.${actorId}`, actorId, output });
};
/** The events to the parent except ANSWERED. */
const saidBy = ({ toParent }: RecordedWorkflow): readonly PlainEvent[] =>
  toParent.filter(({ type }) => type !== 'ANSWERED');
const containing = (text: string): string => expect.stringContaining(text) as string;

describe('a change outside of the files that its task names', () => {
  const task = { ...INPUT.task, files: ['src/csv.js'] };
  const outside = ['README.md', 'src/other.js'];
  const told = 'Changed although the task does not name them: README.md, src/other.js.';

  it('is looked for, and shown to the reviewers of each commit', () => {
    const run = working({ task }).happens(submitted('c1'));
    expect(run.started('check').input).toMatchObject({ commit: 'c1', files: ['src/csv.js'] });
    run.done('check', { commit: 'c1', outside });
    expect(run.started('review').input).toMatchObject({ change: { description: `Parse it.\n\n${told}` } });
    run.happens({ type: 'CHANGES-REQUESTED', round: 1, issues: [], feedback: 'no' }).happens(submitted('c2'));
    run.done('check', { commit: 'c2', outside });
    expect(run.toChildren).toMatchObject([{ event: { type: 'REVISED', commit: 'c2', note: `done\n\n${told}` } }]);
  });

  it('is named in the pull request, with what nobody has done', () => {
    const run = working({ task }).happens(submitted('c1')).done('check', { commit: 'c1', outside });
    run.done('review', reviewOf('approved', 'c1')).happens({ type: 'MERGED', commit: 'm1' });
    const merged = (saidBy(run)[0] as unknown as { report: ChangeReport }).report;
    const lost: ChangeReport = { ...merged, taskId: 'print', title: 'Print', outcome: 'released' };
    const text = textOf([merged, lost]);
    expect(text).toContain(
      '- **Parse**, by ben: done\n  - also changed, although the plan does not name them for this: `README.md`, `src/other.js`',
    );
    expect(text).toContain('## What is missing\n\n- not done: Print\n');
    expect(textOf([merged])).toContain('## What is missing\n\nNothing that is known.\n');
  });

  function textOf(changes: readonly ChangeReport[]): string {
    const report: Partial<LoopReport> = {
      feature: 'Costs',
      branch: 'b',
      base: 'c',
      findings: null,
      planSource: 'ada',
      changes,
      tests: [],
    };
    return pullRequestText(report as LoopReport, { head: 'h', commits: [], diffStat: '' });
  }
});

describe('a disagreement', () => {
  it('suspends the change during a vote of everybody and the author, who keep it as it is', () => {
    const run = voting('m.1');
    expect(saidBy(run)).toMatchObject([{ type: 'PUT-TO-THE-VOTE', taskId: 'parser', epoch: 1 }]);
    expect(run.started('vote').input).toMatchObject({ electorate: ['ben', 'cleo', 'ada'], seconds: 60 });
    expect(saidBy(voted(run, 'm.1', 'keep'))).toMatchObject([{ type: 'APPROVED', commit: 'c1' }]);
  });

  it('goes back to the author when the vote is for a change', () => {
    expect(saidBy(voted(voting('m.1'), 'm.1', 'change'))).toMatchObject([
      { type: 'GO-ON', feedback: containing('voted: change') },
    ]);
  });

  it('has a commit reviewed that was handed in meanwhile, instead of merging the one before', () => {
    const run = voted(voting('m.1').happens(submitted('c2')), 'm.1', 'keep');
    expect([saidBy(run), run.started('check').input]).toMatchObject([[], { commit: 'c2' }]);
    run.done('check', { commit: 'c2' });
    expect(run.started('review').input).toMatchObject({
      change: { commit: 'c2', description: containing('It stays as it is.') },
    });
    run.done('review', reviewOf('approved', 'c2'));
    expect(saidBy(run)).toMatchObject([{ type: 'APPROVED', commit: 'c2' }]);
  });

  /** Ends both votes, in this order. */
  const bothVoted = (one: readonly [string, string], other: readonly [string, string]): RecordedWorkflow => {
    const run = voting('m.1', 'm.2');
    expect(run.emitted.find(({ type }) => type === 'disputed')).toMatchObject({
      disagreements: [{ issue: 'm.1' }, { issue: 'm.2' }],
    });
    expect(run.countOf('vote')).toBe(2);
    expect(saidBy(voted(run, ...one))).toEqual([]);
    return voted(run, ...other);
  };

  it('is decided for each of two issues of a round, and report and pull request have both votes', () => {
    const run = bothVoted(['m.2', 'keep'], ['m.1', 'keep']);
    expect(saidBy(run)).toMatchObject([{ type: 'APPROVED', commit: 'c1' }]);
    const report = run.happens({ type: 'MERGED', commit: 'm' }).output as ChangeReport;
    expect(report.decisions).toMatchObject([{ issue: 'm.2' }, { issue: 'm.1' }]);
    const loop = {
      feature: 'Costs',
      branch: 'b',
      base: 'a',
      findings: null,
      planSource: '',
      changes: [report],
      tests: [],
    };
    const text = pullRequestText(loop as unknown as LoopReport, { head: 'h', commits: [], diffStat: '' });
    for (const part of ['Policy m.1', 'Policy m.2', 'seen in m.1', 'seen in m.2']) expect(text).toContain(part);
  });

  it.each([
    [['m.1', 'change'] as const, ['m.2', 'keep'] as const],
    [['m.1', 'keep'] as const, ['m.2', 'change'] as const],
    [['m.2', 'change'] as const, ['m.1', 'keep'] as const],
    [['m.2', 'change'] as const, ['m.1', 'change'] as const],
  ])('goes back to the author with all decisions when one of two votes is for a change: %j, then %j', (one, other) => {
    expect(saidBy(bothVoted(one, other))).toMatchObject([
      { type: 'GO-ON', feedback: containing(`Policy ${one[0]}\nIt was put to the vote; voted: ${one[1]}.`) },
    ]);
    expect(saidBy(bothVoted(one, other))).toMatchObject([
      { type: 'GO-ON', feedback: containing(`Policy ${other[0]}\nIt was put to the vote; voted: ${other[1]}.`) },
    ]);
  });

  it('needs no vote when its reviewer has withdrawn the issue', () => {
    const run = handsIn(working(), 'c1').done(
      'review',
      reviewOf('disagreement', 'c1', {
        disagreements: [disagreementOn('m.1'), disagreementOn('m.2')],
        withdrawn: ['m.1'],
      }),
    );
    expect(run.countOf('vote')).toBe(1);
    expect(saidBy(voted(run, 'm.2', 'keep'))).toMatchObject([{ type: 'APPROVED' }]);
  });

  it('is decided before a commit handed in meanwhile is reviewed, and its reviewer is told the decision', () => {
    const run = handsIn(working(), 'c1')
      .happens({ type: 'CHANGES-REQUESTED', round: 1, issues: [], feedback: 'Two issues.' })
      .happens(submitted('c2'))
      .done('review', reviewOf('disagreement', 'c1', { disagreements: [disagreementOn('m.1')] }));
    expect(run.countOf('vote')).toBe(1);
    voted(run, 'm.1', 'keep').done('check', { commit: 'c2' });
    expect(run.started('review').input).toMatchObject({
      change: { commit: 'c2', description: containing('Policy m.1\nIt was put to the vote: keep.') },
      rounds: 2,
    });
  });

  it('ends the change if a vote cannot be held', () => {
    const run = voting('m.1', 'm.2').happens({
      type: 'xstate.error.actor.vote-m-1',
      actorId: 'vote-m-1',
      error: { name: 'Error', message: 'no electorate' },
    });
    expect(saidBy(run)).toMatchObject([{ type: 'STUCK', reason: 'no electorate' }, { type: 'CHANGE-ENDED' }]);
  });

  it('leaves room for all decisions in the next review request, however long the task is', () => {
    const issues = [...Array(12).keys()].map((at) => `m.${at}`);
    const run = handsIn(working({ task: { ...INPUT.task, description: 'long '.repeat(1_600) } }), 'c1');
    run.done('review', reviewOf('disagreement', 'c1', { disagreements: issues.map((one) => disagreementOn(one)) }));
    for (const issue of issues) voted(run, issue, 'change');
    const { change } = handsIn(run, 'c2').started('review').input as { change: { description: string } };
    expect(change.description.length).toBeLessThanOrEqual(8_000);
    for (const issue of issues) expect(change.description).toContain(`Policy ${issue}\n`);
  });
});

describe('a submission', () => {
  const feedback = (fault: string): object => ({
    type: 'GO-ON',
    feedback: `Your submission cannot be reviewed: ${fault}.`,
  });

  it('is one commit id from then on, whatever name it was handed in by', () => {
    const run = working().happens(submitted('my-branch')).done('check', { commit: 'c1' });
    expect(run.started('review').input).toMatchObject({ change: { commit: 'c1', base: 'c0' } });
    run.done('review', reviewOf('approved', 'c1'));
    expect(run.toParent).toMatchObject([{ type: 'APPROVED', commit: 'c1' }]);
  });

  it('goes back to its author with the fault if it cannot be reviewed, at first and as a revision', () => {
    const run = working().happens(submitted('c1')).done('check', { fault: 'there is no commit c1' });
    expect(run.toParent).toMatchObject([feedback('there is no commit c1')]);
    handsIn(run, 'c2').happens({ type: 'CHANGES-REQUESTED', round: 1, issues: [], feedback: 'What of ""?' });
    run.happens(submitted('c3'));
    expect(run.toChildren).toEqual([]);
    run.done('check', { fault: '"lib" is a git repository' });
    expect([run.toParent, run.toChildren]).toMatchObject([[feedback('"lib" is a git repository')], []]);
    expect(handsIn(run, 'c4').toChildren).toMatchObject([
      { childId: 'review', event: { type: 'REVISED', commit: 'c4' } },
    ]);
  });

  it('is reviewed again when its author has resolved a conflict', () => {
    const run = handsIn(working(), 'c1').done('review', reviewOf('approved', 'c1'));
    const head = 'd'.repeat(40);
    run.happens({ type: 'CONFLICT', files: ['list.txt'], with: head });
    expect(run.toParent).toMatchObject([{ feedback: expect.stringMatching(`\n  git merge ${head}$`) as string }]);
    handsIn(run, 'c2');
    expect([run.countOf('review'), run.toParent]).toEqual([2, []]);
    expect(run.started('review').input).toMatchObject({ change: { commit: 'c2', base: 'c0' } });
    run.done('review', reviewOf('approved', 'c2'));
    expect(run.toParent).toMatchObject([{ type: 'APPROVED', commit: 'c2' }]);
  });
});

describe('a change without progress', () => {
  it('is sent back with the fault when it is handed in without a commit, or with one that was reviewed', () => {
    const run = working().happens(submitted(null));
    expect(saidBy(run)).toMatchObject([{ type: 'GO-ON', feedback: containing('name the commit') }]);
    handsIn(run, 'c1').happens({ type: 'CHANGES-REQUESTED', round: 1, issues: [], feedback: 'No test.' });
    // Whatever name it is handed in by.
    run.happens(submitted('my-branch')).done('check', { commit: 'c1' });
    expect(saidBy(run)).toMatchObject([{ type: 'GO-ON', feedback: containing('c1 was handed in before') }]);
    expect(run.toChildren).toEqual([]);
    expect(handsIn(run, 'c2').toChildren).toMatchObject([{ event: { type: 'REVISED', commit: 'c2' } }]);
    // The submissions in order; refused ones are not among them.
    const { submissions } = run.happens({ type: 'RELEASED', reason: '' }).output as ChangeReport;
    expect(submissions.map(({ commit }) => commit)).toEqual(['c1', 'c2']);
  });

  it.each([
    ['no commit', (run: RecordedWorkflow) => run.happens(submitted(null))],
    [
      'a commit that cannot be reviewed',
      (run: RecordedWorkflow) => run.happens(submitted('x')).done('check', { fault: 'no' }),
    ],
  ])('is given up after three submissions in a row with %s', (_, fail) => {
    const run = fail(fail(working()));
    expect(saidBy(run)).toMatchObject([{ type: 'GO-ON' }]);
    expect(saidBy(fail(run))).toMatchObject([
      { type: 'STUCK', reason: containing('3 times in a row nothing new was handed in') },
      { type: 'CHANGE-ENDED', report: { outcome: 'stuck' } },
    ]);
    const better = fail(
      handsIn(fail(fail(working())), 'c1').happens({ type: 'CHANGES-REQUESTED', round: 1, issues: [], feedback: '' }),
    );
    expect(better.status).toBe('active');
  });

  it('has one number of rounds for all of its reviews, which votes do not reset', () => {
    const run = handsIn(working({ rounds: 2 }), 'c1');
    expect(run.started('review').input).toMatchObject({ rounds: 2 });
    voted(
      run.done('review', reviewOf('disagreement', 'c1', { disagreements: [disagreementOn('m.1')] })),
      'm.1',
      'change',
    );
    handsIn(run, 'c2');
    expect(run.started('review').input).toMatchObject({ rounds: 1 });
    voted(
      run.done('review', reviewOf('disagreement', 'c2', { disagreements: [disagreementOn('m.2')] })),
      'm.2',
      'change',
    );
    expect(saidBy(run)).toMatchObject([
      { type: 'STUCK', reason: containing('all 2 rounds of its review are over and it is not approved') },
      { type: 'CHANGE-ENDED' },
    ]);
  });

  it('names what the reviewers still want when its rounds are over', () => {
    const feedback = [{ round: 2, reviewer: 'cleo', issues: [{ description: 'no test' }] }];
    const run = handsIn(working({ rounds: 2 }), 'c1').done(
      'review',
      reviewOf('rounds-exhausted', 'c1', { rounds: 2, feedback }),
    );
    expect(saidBy(run)[0]).toMatchObject({ type: 'STUCK', reason: containing('(cleo: no test)') });
  });

  it('is given up at the third conflict with the same commit, and not while others are merged in between', () => {
    const conflict = (run: RecordedWorkflow, head: string): RecordedWorkflow =>
      run.happens({ type: 'CONFLICT', files: ['a.ts'], with: head });
    let commits = 0;
    const approved = (run: RecordedWorkflow): RecordedWorkflow => {
      const commit = `c${++commits}`;
      return handsIn(run, commit).done('review', reviewOf('approved', commit));
    };
    const run = approved(working());
    for (const head of ['h1', 'h2', 'h3', 'h3']) {
      expect(saidBy(conflict(run, head))).toMatchObject([{ type: 'GO-ON', feedback: containing('a.ts') }]);
      approved(run);
      expect(run.started('review').input).toMatchObject({ rounds: 3 });
    }
    expect(saidBy(conflict(run, 'h3'))).toMatchObject([
      { type: 'STUCK', reason: 'its merge conflicted 3 times with the same commit h3, in a.ts' },
      { type: 'CHANGE-ENDED', report: { conflicts: 4 } },
    ]);
  });
});

describe('a submission that nobody reviews', () => {
  const unanswered = (run: RecordedWorkflow): RecordedWorkflow =>
    run.done(
      'review',
      reviewOf('no-answer', 'c1', {
        gone: [
          { reviewer: 'cleo', why: 'silent' },
          { reviewer: 'ada', why: 'declined' },
        ],
      }),
    );
  const REASON = 'c1 of ben waits for a review: cleo did not answer within 10 minutes; ada declined';

  it('waits visibly, stays as it is, and its review is requested again', () => {
    const run = unanswered(handsIn(working(), 'c1'));
    expect(run.emitted).toContainEqual({ type: 'waiting', taskId: 'parser', agent: 'ben', reason: REASON });
    expect(run.toParent).toMatchObject([{ type: 'ANSWERED', agents: ['ada'], silent: ['cleo'] }]);
    run.timesOut('patience', 'unanswered');
    expect([run.countOf('review'), run.started('review').input]).toMatchObject([
      2,
      { change: { commit: 'c1' }, rounds: 3 },
    ]);
    expect(saidBy(run.done('review', reviewOf('approved', 'c1')))).toMatchObject([{ type: 'APPROVED', commit: 'c1' }]);
  });

  it('stops the run at the third time, with its report, and goes to no other agent', () => {
    const run = handsIn(working(), 'c1');
    for (const _ of [1, 2]) unanswered(run).timesOut('patience', 'unanswered');
    expect(saidBy(unanswered(run))).toMatchObject([
      { type: 'STALLED', reason: REASON, report: { outcome: 'stuck', submissions: [{ commit: 'c1' }] } },
    ]);
    expect(run.status).toBe('done');
  });

  it('still has its challenged issues decided', () => {
    const run = handsIn(working(), 'c1').done(
      'review',
      reviewOf('no-answer', 'c1', { disagreements: [disagreementOn('m.1')] }),
    );
    expect(run.countOf('vote')).toBe(1);
    voted(run, 'm.1', 'keep');
    expect([run.value, saidBy(run)]).toEqual(['unanswered', []]);
  });
});

it('says why it is stuck, with the text of the failure', () => {
  const run = new RecordedWorkflow(machine, { input: INPUT, parent: 'loop' }).fails(
    'prepare',
    'git worktree add failed',
  );
  expect(run.toParent).toMatchObject([
    { type: 'STUCK', reason: 'git worktree add failed' },
    { type: 'CHANGE-ENDED', report: { outcome: 'stuck' } },
  ]);
});
