import { describe, expect, it } from 'vitest';
import { machine } from '../../machines/autonomous-dev.ts';
import type { ChangeReport } from '../../machines/autonomous-dev/change-events.ts';
import type { LoopInput } from '../../machines/autonomous-dev/input.ts';
import { isAllDone, type LoopReport } from '../../machines/autonomous-dev/report.ts';
import type { TestRun } from '../../machines/autonomous-dev/test-run.ts';
import type { PlainEvent } from '../../src/step/workflow-state.ts';
import { RecordedWorkflow } from './recorded-workflow.ts';

const AGENTS = ['ada', 'ben', 'cleo'];
const TASKS = [
  { id: 'parser', title: 'Parse', description: 'Parse quoted fields.' },
  { id: 'report', title: 'Report', description: 'Print it.', dependsOn: ['parser'] },
];
const UNPLANNED: LoopInput = {
  feature: '# Costs\n\nShare them.',
  repository: {
    directory: '/repo',
    base: 'a'.repeat(40),
    branch: 'mailroom/costs',
    run: 'r1r1',
    workDirectory: '/work',
  },
  testCommand: 'npm test',
  agents: AGENTS,
};
const INPUT: LoopInput = { ...UNPLANNED, plan: { tasks: TASKS } };
const OPENED = {
  directory: '/work/integration',
  ports: 20_010,
  conventions: [{ file: 'AGENTS.md', text: 'Use tabs.\n\nNo classes.' }],
};
const WORKSPACE = { directory: '/work/tasks/parser-1', branch: 'mailroom/costs.parser-1', base: 'b'.repeat(40) };

const begin = (over: Partial<LoopInput> = {}): RecordedWorkflow =>
  new RecordedWorkflow(machine, { input: { ...INPUT, ...over } });
/** Before the plan. */
const planning = (over: Partial<LoopInput> = {}): RecordedWorkflow =>
  new RecordedWorkflow(machine, { input: { ...UNPLANNED, ...over } })
    .done('open', OPENED)
    .done('testBase', ran(0, 'ok'))
    .done('question', answer('ada', 'src/csv.js has no tests'));
/** The tasks are offered. */
const working = (over: Partial<LoopInput> = {}): RecordedWorkflow =>
  begin(over).done('open', OPENED).done('testBase', ran(0, 'ok')).fails('question', 'nobody has the address ada');

const answer = (from: string, content: string, data?: unknown, type = 'INFO'): object => ({
  type,
  from,
  content,
  messageId: '01900000-0000-7000-8000-0000000000aa',
  data: data ?? null,
});
const claimed = (id: string, agent: string, epoch = 1): PlainEvent => ({
  type: 'TASK-CLAIMED',
  task: { id, title: id, description: id, files: [], dependsOn: [], skills: [] },
  agent,
  epoch,
  messageId: 'claim',
});
const about = (taskId: string, epoch = 1): object => ({ taskId, epoch });
const released = (taskId: string, agent: string, over: object = {}, epoch = 1): PlainEvent => ({
  type: 'TASK-RELEASED',
  ...about(taskId, epoch),
  agent,
  reason: 'no message before the lease ended',
  end: 'silent',
  isBlocked: false,
  ...over,
});
const approved = (taskId: string, agent: string, epoch = 1): PlainEvent => ({
  type: 'APPROVED',
  ...about(taskId, epoch),
  commit: `commit-of-${taskId}-${epoch}`,
  title: taskId,
  agent,
});
/** The output of a test run, by default the one of an exit code without a report. */
const ran = (exitCode: number | null, output: string, over: Partial<TestRun> = {}): { run: TestRun } => {
  const verdict = exitCode === 0 ? 'passed' : 'failed';
  return {
    run: { command: 'npm test', exitCode, output, verdict, failing: null, reportFault: null, flaky: null, ...over },
  };
};
const merge = (commit: string): object => ({ status: 'merged', commit, diffStat: ' 1 file changed' });
/** The events that the last step sent to a child. */
const told = ({ toChildren }: RecordedWorkflow, childId: string): PlainEvent[] =>
  toChildren.filter((one) => one.childId === childId).map(({ event }) => event);
const reportOf = (run: RecordedWorkflow): LoopReport => {
  expect(run.status).toBe('done');
  return run.output as LoopReport;
};
const timer = (run: RecordedWorkflow, name: string): string => run.timers.find((one) => one.includes(name)) ?? name;
/** All offered tasks are done and merged, and the branch is where it must be. */
const settled = (run: RecordedWorkflow): RecordedWorkflow => settling(run).done('settle', null);
const settling = (run: RecordedWorkflow): RecordedWorkflow =>
  run.happens({ type: 'TASKS-SETTLED', tasks: [...Array(9).keys()].map((n) => ({ id: `fix-${n}` })) });

describe('the base', () => {
  const opened = (over: Partial<LoopInput> = {}): RecordedWorkflow => begin(over).done('open', OPENED);
  const asked = (run: RecordedWorkflow): number => run.countOf('question') + run.everSent.length;
  const REPORT = { format: 'junit', path: 'report.xml' } as const;

  it('is tested in its checkout, with its ports, before anybody is asked or told anything', () => {
    const run = opened({ testReport: REPORT });
    expect(run.started('testBase').input).toEqual({
      line: 'npm test',
      directory: '/work/integration',
      ports: OPENED.ports,
      timeoutMs: 15 * 60_000,
      report: REPORT,
      known: null,
    });
    expect(asked(run)).toBe(0);
    run.done('testBase', ran(0, 'ok'));
    expect(run.countOf('question')).toBe(1);
  });

  it.each([
    {
      name: 'fails',
      base: ran(1, 'not ok 1 - one'),
      said: /fail \(exit code 1\).*--known-failures\.\n\n\$ npm test\nnot ok 1 - one$/s,
    },
    { name: 'hangs', base: ran(null, 'waiting'), said: /not done after 15 minutes.* --test-timeout.*waiting$/s },
    {
      name: 'is not found',
      base: ran(127, 'sh: pytest: not found'),
      said: /cannot be started \(exit code 127\).*--test\..*--setup.*pytest/s,
    },
    { name: 'cannot be run', base: { fault: 'spawn sh EACCES' }, said: /^spawn sh EACCES$/ },
  ])('that $name ends the run without a question, with the output and what to try', ({ base, said }) => {
    const run = opened().done('testBase', base);
    expect(reportOf(run)).toMatchObject({ outcome: 'not-ready', reason: expect.stringMatching(said) as string });
    expect(run.countOf('question')).toBe(0);
  });

  it('may fail if its failures are accepted, and each later run is told which', () => {
    const failing = ['a › one', 'b › two'];
    const run = opened({ base: 'known-failures', testReport: REPORT }).done('testBase', ran(1, 'no', { failing }));
    settled(run.fails('question', 'nobody has the address ada'));
    expect(run.started('test').input).toMatchObject({ known: { names: failing } });
    const unnamed = opened({ base: 'known-failures' }).done('testBase', ran(1, 'no'));
    settled(unnamed.fails('question', 'nobody has the address ada'));
    expect(unnamed.started('test').input).toMatchObject({ known: { names: null } });
  });

  it('may fail until the end, as where the tests of the feature exist already', () => {
    const run = opened({ base: 'may-fail' }).done('testBase', ran(1, 'no'));
    settled(run.fails('question', 'nobody has the address ada'));
    expect(run.started('test').input).toMatchObject({ known: null });
    expect(reportOf(opened({ base: 'may-fail' }).done('testBase', ran(127, 'no')))).toMatchObject({
      outcome: 'not-ready',
    });
  });

  it('may not fail without a failed test in its report, because everything would count as known', () => {
    for (const over of [{ failing: [] }, { reportFault: 'The test command wrote no report /work/report.xml.' }]) {
      const run = opened({ base: 'known-failures', testReport: REPORT }).done('testBase', ran(1, 'no', over));
      expect(reportOf(run).reason).toMatch(/Correct the report in mailroom\.team\.json/);
    }
  });

  it('is not tested if the input says so', () => {
    const run = opened({ base: 'untested' });
    expect([run.countOf('testBase'), run.countOf('question')]).toEqual([0, 1]);
  });
});

describe('research and planning', () => {
  it('creates the branch first, announces the research, and asks the researcher', () => {
    const run = begin();
    expect(run.started('open').input).toEqual(INPUT.repository);
    run.done('open', OPENED);
    expect(run.sent).toEqual([]);
    run.done('testBase', ran(0, 'ok'));
    expect(run.sent).toMatchObject([
      { to: ['all'], type: 'INFO', content: `Starting research phase for: ${INPUT.feature}` },
    ]);
    expect(run.started('question').input).toMatchObject({
      to: 'ada',
      content: expect.stringContaining('/work/integration') as string,
      data: { kind: 'research', directory: '/work/integration' },
    });
  });

  it('tells the researcher and the planner what the repository says, and its commands', () => {
    const says =
      'Its tests are run by: npm test. It is set up already (npm ci).\n\nThe repository says in AGENTS.md:\n\n> Use tabs.\n>\n> No classes.\n';
    const repository = { ...INPUT.repository, setup: 'npm ci' };
    const run = begin({ repository, plan: undefined, planner: 'ben' }).done('open', OPENED);
    run.done('testBase', ran(0, 'ok'));
    expect(run.started('question').input).toMatchObject({
      to: 'ada',
      content: expect.stringContaining(says) as string,
    });
    run.done('question', answer('ada', 'nothing'));
    expect(run.started('question').input).toMatchObject({
      to: 'ben',
      content: expect.stringContaining(says) as string,
    });
  });

  it('keeps the answer with its sender and message, and continues without one if none comes', () => {
    const run = planning();
    expect(run.emitted).toContainEqual({
      type: 'researched',
      by: 'ada',
      findings: 'src/csv.js has no tests',
      messageId: '01900000-0000-7000-8000-0000000000aa',
    });
    const silent = begin().done('open', OPENED).done('testBase', ran(0, 'ok'));
    silent.fires(silent.timers.find((one) => one.includes('answer')) ?? '');
    expect(silent.emitted).toContainEqual({ type: 'researched', by: null, findings: '', messageId: null });
    expect(silent.countOf('distribute')).toBe(1);
  });

  it('takes the given plan, the planner’s, or the built-in one, and says which', () => {
    const sourceOf = (run: RecordedWorkflow): unknown => run.emitted.find(({ type }) => type === 'planned')?.['source'];
    expect(sourceOf(working())).toBe('the plan that was given');
    expect(sourceOf(planning())).toBe('the built-in template, because nobody was asked for a plan');
    const planned = planning({ planner: 'ben' }).done('question', answer('ben', 'two tasks', { tasks: TASKS }));
    expect(sourceOf(planned)).toBe('ben (message 000000aa)');
    expect(planned.started('distribute').input).toMatchObject({ plan: { tasks: TASKS }, acceptance: 'parent' });
  });

  it('asks a planner again with the fault of its last plan, three times in all', () => {
    const run = planning({ planner: 'ben' });
    const cyclic = { tasks: [{ ...TASKS[0], dependsOn: ['parser'] }] };
    run.done('question', answer('ben', 'here', cyclic));
    expect(run.started('question').input).toMatchObject({
      content: expect.stringMatching(/^Your last plan cannot be used: .*parser/) as string,
    });
    run.done('question', answer('ben', 'no JSON at all'));
    expect([run.countOf('question'), run.countOf('distribute')]).toEqual([4, 0]);
    run.done('question', answer('ben', '{"tasks":[]}'));
    // A template would be built for money, and nobody has asked for it.
    expect(run.countOf('distribute')).toBe(0);
    expect(reportOf(run)).toMatchObject({
      outcome: 'blocked',
      reason: expect.stringMatching(
        /^3 plans of ben cannot be used, the last one because of: .* --plan <file>/,
      ) as string,
    });
  });

  it('warns of keys that the plan has and nobody knows', () => {
    const odd = { tasks: [{ ...TASKS[0], depends_on: [] }] };
    const ignored = ['plan.tasks.0.depends_on is unknown and was ignored (did you mean dependsOn?)'];
    const planned = planning({ planner: 'ben' }).done('question', answer('ben', 'one task', odd));
    for (const run of [planned, working({ plan: odd } as Partial<LoopInput>)])
      expect(run.emitted.find(({ type }) => type === 'planned')).toMatchObject({ ignored });
  });

  it('does not ask a planner again that cannot plan or cannot be reached', () => {
    const blocked = planning({ planner: 'ben' }).done('question', answer('ben', 'no idea', undefined, 'BLOCKED'));
    const gone = planning({ planner: 'ben' }).fails('question', 'nobody has the address ben');
    for (const run of [blocked, gone]) expect([run.countOf('question'), run.countOf('distribute')]).toEqual([2, 1]);
  });

  it('ends with the reason if the branch cannot be created or set up', () => {
    const report = reportOf(begin().fails('open', 'git worktree add failed'));
    expect(report).toMatchObject({ outcome: 'not-ready', delivery: null });
    expect(report.reason).toContain('git worktree add failed');
  });
});

describe('a task', () => {
  it('has a change of its own from the claim on, which says where to work', () => {
    const run = working().happens(claimed('parser', 'ben'));
    expect(run.started('change')).toMatchObject({
      childId: 'change-parser-1',
      input: { agent: 'ben', epoch: 1, task: { id: 'parser' }, reviewersNeeded: 1 },
    });
    run.happens({ type: 'READY', ...about('parser'), workspace: WORKSPACE });
    expect(told(run, 'distributor')).toEqual([{ type: 'ASSIGN', ...about('parser'), workspace: WORKSPACE }]);
  });

  it('is reviewed by free agents before busy ones, and not by silent ones', () => {
    const run = working()
      .happens(claimed('parser', 'ben'))
      .happens(claimed('report', 'ada'))
      .happens({ type: 'TASK-RELEASED', ...about('report'), agent: 'ada', reason: 'silent', isBlocked: false });
    expect(told(run, 'change-report-1')).toEqual([{ type: 'RELEASED', reason: 'silent' }]);
    run.happens({ ...claimed('parser', 'ben'), type: 'TASK-COMPLETED', commit: 'c1', summary: 'done', messageId: 'm' });
    expect(told(run, 'change-parser-1')).toEqual([
      { type: 'SUBMITTED', commit: 'c1', summary: 'done', messageId: 'm', agents: ['cleo', 'ben'] },
    ]);
  });

  it('is reviewed by agents that returned a task, and by formerly silent agents that have been heard again', () => {
    const reviewers = (run: RecordedWorkflow): unknown =>
      told(
        run.happens({ ...claimed('parser', 'ben'), type: 'TASK-COMPLETED', commit: 'c', summary: '', messageId: 'm' }),
        'change-parser-1',
      )[0]?.['agents'];
    const lost = (end: string): RecordedWorkflow =>
      working()
        .happens(claimed('parser', 'ben'))
        .happens(claimed('report', 'ada'))
        .happens(released('report', 'ada', { end }));
    expect(reviewers(lost('given-back'))).toEqual(['cleo', 'ada', 'ben']);
    expect(reviewers(lost('taken-away'))).toEqual(['cleo', 'ada', 'ben']);
    expect(reviewers(lost('silent'))).toEqual(['cleo', 'ben']);
    for (const word of [
      { type: 'AGENT-HEARD', agent: 'ada' },
      { type: 'ANSWERED', ...about('other'), agents: ['ada'], silent: [] },
    ])
      expect([word.type, reviewers(lost('silent').happens(word))]).toEqual([word.type, ['cleo', 'ada', 'ben']]);
  });

  it('is not reviewed by an agent that missed a review deadline, unless a lease shows that it is alive', () => {
    const run = working().happens(claimed('parser', 'ben')).happens(claimed('report', 'ada'));
    run.happens({ type: 'ANSWERED', ...about('parser'), agents: [], silent: ['cleo', 'ada'] });
    run.happens({ ...claimed('parser', 'ben'), type: 'TASK-COMPLETED', commit: 'c', summary: '', messageId: 'm' });
    expect(told(run, 'change-parser-1')).toMatchObject([{ agents: ['ada', 'ben'] }]);
  });

  it('is reviewed by a silent agent if there is no other', () => {
    const run = working({ agents: ['ada', 'ben'] })
      .happens(claimed('parser', 'ben'))
      .happens(claimed('report', 'ada'))
      .happens(released('report', 'ada'));
    run.happens({ ...claimed('parser', 'ben'), type: 'TASK-COMPLETED', commit: 'c', summary: '', messageId: 'm' });
    expect(told(run, 'change-parser-1')).toMatchObject([{ agents: ['ben', 'ada'] }]);
  });

  it('stops the run if nobody reviews it, and the reason names the commit and whom it waits for', () => {
    const run = working().happens(claimed('parser', 'ben'));
    const report = { taskId: 'parser', outcome: 'stuck', submissions: [{ commit: 'c1' }] };
    run.happens({ type: 'STALLED', ...about('parser'), reason: 'c1 of ben waits for a review: cleo declined', report });
    expect(reportOf(run)).toMatchObject({
      outcome: 'blocked',
      reason: 'parser cannot be merged, c1 of ben waits for a review: cleo declined; reviews were requested 3 times',
      changes: [report],
    });
  });

  it('ends the run as blocked when it was lost three times, with each loss and its reason, and nothing is fixed', () => {
    const run = working();
    for (const [at, [agent, end, reason]] of [
      ['ben', 'given-back', 'no spec'],
      ['cleo', 'silent', 'no message before the lease ended'],
      ['ben', 'taken-away', 'all 5 rounds of its review are over'],
    ].entries())
      run
        .happens(claimed('parser', agent ?? '', at + 1))
        .happens(released('parser', agent ?? '', { end, reason, isBlocked: at === 2 }, at + 1));
    settled(run).done('test', ran(1, 'no parser'));
    expect(reportOf(run)).toMatchObject({
      outcome: 'blocked',
      reason:
        'nobody can do parser (lost 3 times: ben returned it: no spec; cleo fell silent; ben had it taken away: all 5 rounds of its review are over), and the tests fail',
      releases: [{ epoch: 1 }, { epoch: 2 }, { epoch: 3 }],
    });
  });

  it('continues after feedback, is suspended during a vote, and goes to another agent when it is stuck', () => {
    const run = working().happens(claimed('parser', 'ben'));
    run.happens({ type: 'GO-ON', ...about('parser'), feedback: 'What of ""?' });
    expect(told(run, 'distributor')).toEqual([{ type: 'REWORK', ...about('parser'), feedback: 'What of ""?' }]);
    run.happens({ type: 'PUT-TO-THE-VOTE', ...about('parser') });
    expect(told(run, 'distributor')).toEqual([{ type: 'SUSPEND', ...about('parser') }]);
    run.happens({ type: 'STUCK', ...about('parser'), reason: 'no reviewers' });
    expect(told(run, 'distributor')).toEqual([{ type: 'RELEASE', ...about('parser'), reason: 'no reviewers' }]);
  });

  it('ignores a change whose epoch is over', () => {
    const run = working()
      .happens(claimed('parser', 'ben'))
      .happens({ type: 'TASK-RELEASED', ...about('parser'), agent: 'ben', reason: 'silent', isBlocked: false })
      .happens(claimed('parser', 'cleo', 2));
    for (const word of [
      { type: 'READY', workspace: WORKSPACE },
      { type: 'GO-ON', feedback: '' },
      { type: 'PUT-TO-THE-VOTE' },
      { type: 'STUCK', reason: '' },
      approved('parser', 'ben'),
    ]) {
      run.happens({ ...word, ...about('parser', 1) });
      expect([word.type, run.toChildren, run.countOf('merge')]).toEqual([word.type, [], 0]);
    }
    expect(run.happens(approved('parser', 'cleo', 2)).countOf('merge')).toBe(1);
  });
});

describe('an approved commit', () => {
  it('is merged in the order of approval, one at a time, and then accepted', () => {
    const run = working().happens(claimed('a', 'ben')).happens(claimed('b', 'cleo'));
    run.happens(approved('a', 'ben')).happens(approved('b', 'cleo'));
    expect(run.countOf('merge')).toBe(1);
    expect(run.started('merge').input).toMatchObject({
      commit: 'commit-of-a-1',
      message: 'Merge a: a\n\nWork of ben, reviewed and approved.',
    });
    run.done('merge', merge('m1'));
    expect(told(run, 'change-a-1')).toEqual([{ type: 'MERGED', commit: 'm1' }]);
    expect(told(run, 'distributor')).toEqual([{ type: 'ACCEPTED', ...about('a') }]);
    expect([run.countOf('merge'), run.started('merge').input]).toMatchObject([2, { commit: 'commit-of-b-1' }]);
  });

  it('is merged into the previous merge, and a new task starts from what is merged', () => {
    const run = working().happens(claimed('a', 'ben')).happens(claimed('b', 'cleo'));
    expect(run.started('change').input).toMatchObject({ start: INPUT.repository.base });
    run.happens(approved('a', 'ben')).happens(approved('b', 'cleo'));
    expect(run.started('merge').input).toMatchObject({ head: INPUT.repository.base });
    run.done('merge', merge('m1'));
    expect(run.started('merge').input).toMatchObject({ head: 'm1' });
    // A commit that is already in the branch makes no merge.
    run.done('merge', merge('m1')).happens(claimed('c', 'ben'));
    expect(run.started('change').input).toMatchObject({ start: 'm1' });
    expect(settling(run).started('settle').input).toEqual({ repository: INPUT.repository, head: 'm1' });
    expect(run.countOf('test')).toBe(0);
    run.done('settle', null).done('test', ran(0, 'ok'));
    run.happens(approved('c', 'ben')).done('merge', merge('m2'));
    settled(run).done('test', ran(0, 'ok'));
    expect(run.started('deliver').input).toMatchObject({
      merges: [
        { commit: 'm1', approved: 'commit-of-a-1' },
        { commit: 'm2', approved: 'commit-of-c-1' },
      ],
    });
  });

  it('goes back to its change when it conflicts, and delays no other', () => {
    const run = working().happens(claimed('a', 'ben')).happens(claimed('b', 'cleo'));
    run.happens(approved('a', 'ben')).happens(approved('b', 'cleo'));
    run.done('merge', { status: 'conflict', files: ['x.js'], with: 'head' });
    expect(told(run, 'change-a-1')).toMatchObject([{ type: 'CONFLICT', files: ['x.js'] }]);
    expect(told(run, 'distributor')).toEqual([]);
    expect(run.started('merge').input).toMatchObject({ commit: 'commit-of-b-1' });
  });

  it('ends the development with the reason if it cannot be merged at all', () => {
    const run = working().happens(claimed('a', 'ben')).happens(approved('a', 'ben'));
    expect(reportOf(run.fails('merge', 'the disk is full')).reason).toContain('the disk is full');
  });
});

describe('testing', () => {
  it('delivers when the tests pass, with the content of the report', () => {
    const run = settled(working());
    expect(run.started('test').input).toMatchObject({ line: 'npm test', directory: '/work/integration' });
    run.done('test', ran(0, 'ok 5'));
    expect(run.started('deliver').input).toMatchObject({ report: { outcome: 'delivered', tests: [{ exitCode: 0 }] } });
    const delivery = { branch: 'mailroom/costs', head: 'h', commits: 3, diffStat: '', pullRequest: '/work/PR.md' };
    run.done('deliver', delivery);
    expect(run.sent).toMatchObject([{ to: ['all'], data: { kind: 'development-ended', outcome: 'delivered' } }]);
    expect(reportOf(run)).toMatchObject({ outcome: 'delivered', delivery });
  });

  it('makes a task of a failure, with the output, and delivers once it is fixed', () => {
    const run = settled(working()).done('test', ran(1, 'not ok 3 - adds up to the cent'));
    const description = expect.stringMatching(/ended with 1.*not ok 3 - adds up to the cent/s) as string;
    const title = expect.stringContaining('1 of 3') as string;
    expect(told(run, 'distributor')).toEqual([{ type: 'ADD-TASKS', tasks: [{ id: 'fix-1', title, description }] }]);
    run.happens(claimed('fix-1', 'cleo')).happens(approved('fix-1', 'cleo')).done('merge', merge('m'));
    expect(settled(run).done('test', ran(0, 'ok')).countOf('deliver')).toBe(1);
  });

  it('stops after three fix rounds and says so, with every run of the tests', () => {
    const run = settled(working());
    for (const round of [1, 2, 3]) {
      run.done('test', ran(round === 2 ? null : 1, `failure ${round}`));
      expect(told(run, 'distributor')).toMatchObject([{ type: 'ADD-TASKS', tasks: [{ id: `fix-${round}` }] }]);
      settled(run);
    }
    expect(run.countOf('test')).toBe(4);
    run.done('test', ran(1, 'failure 4'));
    expect(told(run, 'distributor')).toEqual([]);
    const report = reportOf(run);
    expect(report).toMatchObject({
      outcome: 'tests-failed',
      reason: 'the tests still fail after 3 fix rounds',
      delivery: null,
    });
    expect(report.tests.map(({ exitCode, output }) => [exitCode, output])).toEqual([
      [1, 'failure 1'],
      [null, 'failure 2'],
      [1, 'failure 3'],
      [1, 'failure 4'],
    ]);
    expect(run.countOf('deliver')).toBe(0);
  });

  it.each([0, 1])('has %i fix rounds if the input says so', (fixRounds) => {
    const run = settled(working({ fixRounds }));
    for (let round = 1; round <= fixRounds; round++) settled(run.done('test', ran(1, 'no')));
    expect(reportOf(run.done('test', ran(1, 'no'))).reason).toBe(
      `the tests still fail after ${fixRounds} fix ${fixRounds === 1 ? 'round' : 'rounds'}`,
    );
  });

  it('does not deliver without a task that nobody can do, though the tests pass', () => {
    const run = working()
      .happens(claimed('parser', 'ben'))
      .happens(released('parser', 'ben', { end: 'given-back', reason: 'no spec', isBlocked: true }));
    expect(reportOf(settled(run).done('test', ran(0, 'ok')))).toMatchObject({
      outcome: 'blocked',
      reason: 'nobody can do parser (lost once: ben returned it: no spec)',
    });
  });

  it('has a failing run fixed although nobody can do a task of the plan, and names both at the end', () => {
    const run = settled(
      working({ fixRounds: 1 }).happens(
        released('parser', 'ben', { end: 'given-back', reason: 'no spec', isBlocked: true }),
      ),
    );
    run.done('test', ran(1, 'no parser'));
    expect(told(run, 'distributor')).toMatchObject([{ type: 'ADD-TASKS', tasks: [{ id: 'fix-1' }] }]);
    expect(reportOf(settled(run).done('test', ran(1, 'no parser')))).toMatchObject({
      outcome: 'blocked',
      reason: 'nobody can do parser (lost once: ben returned it: no spec), and the tests still fail after 1 fix round',
    });
  });

  it('delivers when a fix round helps, although everybody gave back the one before', () => {
    const run = settled(working()).done('test', ran(1, 'no'));
    run.happens({ type: 'TASK-RELEASED', ...about('fix-1'), agent: 'ben', reason: 'I cannot', isBlocked: true });
    settled(run).done('test', ran(1, 'no'));
    run.happens(claimed('fix-2', 'cleo')).happens(approved('fix-2', 'cleo')).done('merge', merge('m'));
    expect(settled(run).done('test', ran(0, 'ok')).countOf('deliver')).toBe(1);
  });

  it('tests again while an agent still works, and does not deliver without its work', () => {
    const run = settled(working()).happens(claimed('parser', 'ben')).done('test', ran(0, 'ok'));
    expect([run.countOf('deliver'), run.countOf('test')]).toEqual([0, 1]);
    run.happens(approved('parser', 'ben')).done('merge', merge('m'));
    expect(settled(run).done('test', ran(0, 'ok')).countOf('deliver')).toBe(1);
  });

  it('ignores that all tasks were settled before the fix task existed', () => {
    const run = settled(working()).done('test', ran(1, 'no'));
    run.happens({ type: 'TASKS-SETTLED', tasks: [{ id: 'parser' }] });
    expect(run.countOf('test')).toBe(1);
    expect(settled(run).countOf('test')).toBe(2);
  });

  it('gives a fix task an id that the plan does not use', () => {
    const plan = { tasks: [{ ...TASKS[0], id: 'fix-1' }] };
    const run = settled(working({ plan } as Partial<LoopInput>)).done('test', ran(1, 'no'));
    expect(told(run, 'distributor')).toMatchObject([{ type: 'ADD-TASKS', tasks: [{ id: 'fix-fix-1' }] }]);
  });

  it('ends with the reason if the distribution refuses a fix task', () => {
    const run = settled(working()).done('test', ran(1, 'no'));
    expect(reportOf(run.happens({ type: 'TASKS-REFUSED', reason: 'it is there' }))).toMatchObject({
      outcome: 'failed',
      reason: 'a fix task was refused: it is there',
    });
  });

  it('does not start, and nothing is delivered, if the branch is not where it must be', () => {
    const fault = 'The branch mailroom/costs is at b, but this run left it at a.';
    const run = settling(working()).fails('settle', fault);
    expect(run.countOf('test')).toBe(0);
    expect(reportOf(run)).toMatchObject({ outcome: 'failed', reason: fault, delivery: null });
  });

  it('ends with the reason if the tests cannot be run', () => {
    expect(reportOf(settled(working()).fails('test', 'spawn sh ENOENT')).reason).toContain('spawn sh ENOENT');
  });
});

describe('the pull request', () => {
  const asked: Partial<LoopInput> = { pullRequest: { remote: 'origin', base: 'main' }, maxHours: 2 };
  const delivery = { branch: 'mailroom/costs', head: 'h', commits: 3, diffStat: '', pullRequest: '/work/PR.md' };
  const deliver = (over: Partial<LoopInput>): RecordedWorkflow =>
    settled(working(over)).done('test', ran(0, 'ok')).done('deliver', delivery);

  it('is opened only on request', () => {
    const run = deliver({});
    expect(run.countOf('publish')).toBe(0);
    expect(reportOf(run)).toMatchObject({ outcome: 'delivered', pullRequest: null });
    expect(isAllDone(reportOf(run))).toBe(true);
  });

  it('is opened after the delivery, with the title of the feature, and shown and reported with its URL', () => {
    const run = deliver(asked);
    expect(run.status).toBe('active');
    expect(run.started('publish').input).toEqual({
      repository: INPUT.repository,
      head: INPUT.repository.base,
      remote: 'origin',
      base: 'main',
      title: 'Costs',
      body: '/work/PULL-REQUEST.body.md',
    });
    run.done('publish', 'https://github.com/x/y/pull/7');
    expect(run.emitted[0]).toEqual({ type: 'pull-request-opened', url: 'https://github.com/x/y/pull/7' });
    expect(reportOf(run)).toMatchObject({
      outcome: 'delivered',
      delivery,
      pullRequest: { status: 'opened', url: 'https://github.com/x/y/pull/7' },
    });
    expect(isAllDone(reportOf(run))).toBe(true);
  });

  it('may fail to open without undoing the delivery, and the report has the reason and the commands to open it', () => {
    const fault = 'gh pr create failed (1): GraphQL: no';
    const run = deliver(asked).fails('publish', fault);
    expect(run.emitted[0]).toEqual({ type: 'pull-request-failed', fault });
    expect(reportOf(run)).toMatchObject({
      outcome: 'delivered',
      delivery,
      pullRequest: {
        status: 'failed',
        fault,
        byHand: [
          `git -C /repo push --no-follow-tags --no-recurse-submodules origin ${INPUT.repository.base}:refs/heads/mailroom/costs`,
          'cd /repo && gh pr create --head mailroom/costs --base main --title Costs --body-file /work/PULL-REQUEST.body.md',
        ],
      },
    });
    expect(isAllDone(reportOf(run))).toBe(false);
  });

  it('is waited for when the hours are over, because the delivery is done', () => {
    const run = deliver(asked);
    run.fires(timer(run, 'wallClock'));
    expect(run.status).toBe('active');
    expect(reportOf(run.done('publish', 'https://x')).outcome).toBe('delivered');
  });

  it.each([{ remote: '--force', base: 'main' }, { remote: 'origin', base: '-d' }, { remote: 'origin' }])(
    'is refused for a place such as %j',
    (place) => {
      expect(() => begin({ pullRequest: place as LoopInput['pullRequest'] })).toThrow(/input\.pullRequest\./);
    },
  );
});

describe('the end', () => {
  it('comes when nobody claims a task in time, and not if somebody did', () => {
    const silent = working();
    expect(reportOf(silent.fires(timer(silent, 'answer')))).toMatchObject({
      outcome: 'nobody-answered',
      reason: 'nobody claimed a task within 30 minutes',
    });
    const busy = working().happens(claimed('parser', 'ben'));
    expect(busy.fires(timer(busy, 'answer')).status).toBe('active');
  });

  it('comes when nobody claims a lost task or a fix task, and not while somebody works', () => {
    const run = working()
      .happens(claimed('parser', 'ben'))
      .happens(released('parser', 'ben', { end: 'given-back' }));
    expect(run.happens(claimed('parser', 'cleo', 2)).timers).not.toContain('idle');
    run.happens(released('parser', 'cleo', {}, 2));
    expect(reportOf(run.fires('idle'))).toMatchObject({
      outcome: 'nobody-answered',
      reason: 'nobody claimed parser, report within 30 minutes',
    });
    const mending = working().happens(claimed('parser', 'ben')).happens(approved('parser', 'ben'));
    mending.done('merge', merge('m'));
    expect(settled(mending).fires('idle').value).toEqual({ working: 'testing' });
    expect(reportOf(mending.done('test', ran(1, 'no')).fires('idle')).reason).toContain('fix-1 within 30 minutes');
  });

  it('comes when the hours are over, in every phase', () => {
    for (const run of [
      begin({ maxHours: 2 }),
      planning({ maxHours: 2 }),
      working({ maxHours: 2 }).happens(claimed('parser', 'ben')),
    ])
      expect(reportOf(run.fires(timer(run, 'wallClock')))).toMatchObject({
        outcome: 'time-over',
        reason: expect.stringMatching(/^2 hours are over/) as string,
      });
    const run = working({ maxHours: 2 }).happens(claimed('parser', 'ben'));
    expect(reportOf(run.fires(timer(run, 'wallClock'))).reason).toBe(
      '2 hours are over, and these tasks are not done: parser (with ben), report',
    );
  });

  it('comes at the start if no change could ever be reviewed', () => {
    expect(() => begin({ reviewersNeeded: 3 })).toThrow(
      /input\.reviewersNeeded: expected fewer than the number of agents/,
    );
  });

  it('reports the changes and their agents, in the order in which they ended', () => {
    const change = (taskId: string): Partial<ChangeReport> => ({ taskId, outcome: 'merged' });
    const run = working().happens(claimed('a', 'ben')).happens(claimed('b', 'cleo'));
    run.happens(approved('b', 'cleo')).done('merge', merge('m1'));
    run.happens(approved('a', 'ben')).done('merge', merge('m2'));
    for (const taskId of ['b', 'a']) run.happens({ type: 'CHANGE-ENDED', ...about(taskId), report: change(taskId) });
    settled(run).done('test', ran(0, 'ok')).done('deliver', {});
    expect(reportOf(run).changes).toEqual([change('b'), change('a')]);
  });
});
