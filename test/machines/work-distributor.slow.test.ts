import { describe, expect, it, test } from 'vitest';
import { machine } from '../../machines/work-distributor.ts';
import type { Board } from '../../machines/work-distributor/board.ts';
import type { DistributionInput } from '../../machines/work-distributor/input.ts';
import type { DistributionReport } from '../../machines/work-distributor/report.ts';
import { explore } from '../../src/testing/explore/explore.ts';
import { formatExploration } from '../../src/testing/explore/report.ts';
import { RecordedWorkflow } from './recorded-workflow.ts';

const PLAN = {
  tasks: [
    {
      id: 'parser',
      title: 'Parse quoted fields',
      description: 'Fields in quotes may hold commas.',
      files: ['src/csv.js'],
    },
    { id: 'report', title: 'Print a report', description: 'One line a month.', dependsOn: ['parser'] },
  ],
};
const WORKSPACE = { directory: `/tmp/it's here`, branch: 'task/parser', base: 'abc123' };

const alone = (over: Partial<DistributionInput> = {}): RecordedWorkflow =>
  new RecordedWorkflow(machine, { input: { plan: PLAN, ...over } });
const asChild = (over: Partial<DistributionInput> = {}): RecordedWorkflow =>
  new RecordedWorkflow(machine, { input: { plan: PLAN, acceptance: 'parent', ...over }, parent: 'loop' });
const said = ({ sent }: RecordedWorkflow): string[] =>
  sent.map(({ to, type, content }) => `${to.join()} ${type} ${content.split('\n')[0] ?? ''}`);

describe('a distribution of its own', () => {
  it('offers each claimable task with its command, and no waiting task', () => {
    const { sent } = alone();
    expect(sent).toMatchObject([
      { to: ['all'], type: 'INFO', data: { kind: 'available', tasks: [{ id: 'parser', epoch: 1 }] } },
    ]);
    const content = sent[0]?.content;
    expect(content).toMatch(/^Available tasks:\n/);
    expect(content).toContain(
      `  Parse quoted fields (files: src/csv.js)\n    mailroom send work-distributor CLAIM 'parser'\n`,
    );
    expect(content).not.toContain('report');
  });

  it('offers tasks only to the given agents', () => {
    expect(alone({ agents: ['alice', 'bob'] }).sent.map(({ to }) => to)).toEqual([['alice', 'bob']]);
  });

  it('announces a claim to all, tells the holder what to do, and starts a lease', () => {
    const run = alone().hears('alice', 'CLAIM', 'parser');
    expect(said(run)).toEqual(['all INFO alice claimed: Parse quoted fields', 'alice INFO Start: Parse quoted fields']);
    expect(run.told('alice')).toMatchObject([
      {
        replyTo: 'm1',
        data: {
          kind: 'start',
          taskId: 'parser',
          epoch: 1,
          description: 'Fields in quotes may hold commas.',
          files: ['src/csv.js'],
        },
      },
    ]);
    expect(run.timers.toSorted()).toEqual(['lease.parser', 'xstate.after.deadline.work-distributor.open']);
  });

  it('accepts a claim by INFO as well', () => {
    expect(said(alone().hears('alice', 'INFO', 'claim:parser'))[0]).toBe('all INFO alice claimed: Parse quoted fields');
  });

  const refused: readonly (readonly [title: string, content: string, text: RegExp])[] = [
    [
      'is taken',
      'parser',
      /^You cannot claim Parse quoted fields \(parser\): alice holds it\.\n\nNo task is available now/,
    ],
    ['is not ready', 'report', /these must be done first: Parse quoted fields \(parser\)\./],
    ['is misspelt', 'reprot', /^You cannot claim "reprot": there is no such task\. Did you mean report\?/],
    ['is nothing', 'something to do', /^You cannot claim "something": there is no such task\./],
    ['is not named', '', /^You cannot claim "": there is no such task\./],
  ];
  it.each(refused)(
    'refuses a claim with the reason and the available tasks when the task %s',
    (_title, content, text) => {
      const run = alone().hears('alice', 'CLAIM', 'parser').hears('bob', 'CLAIM', content);
      expect(run.sent).toMatchObject([{ to: ['bob'], type: 'INFO', data: { kind: 'refused' } }]);
      expect(run.sent[0]?.content).toMatch(text);
    },
  );

  it('lists the available tasks in a refusal', () => {
    const run = alone().hears('bob', 'CLAIM', 'report');
    expect(run.sent[0]?.content).toContain(`\n\nAvailable tasks:\n\n  Parse quoted fields`);
  });

  it('refuses agents that are not among the given ones', () => {
    const run = alone({ agents: ['alice'] }).hears('bob', 'CLAIM', 'parser');
    expect(run.sent[0]?.content).toContain('this work is offered to other agents');
  });

  it('trusts the verified sender, not a sender named in a message', () => {
    const run = alone().hears('bob', 'CLAIM', 'parser', { taskId: 'parser', agent: 'alice', from: 'alice' });
    expect(said(run)[0]).toBe('all INFO bob claimed: Parse quoted fields');
  });

  it('offers the tasks that a result has made ready, and ends with the last result', () => {
    const run = alone()
      .hears('alice', 'CLAIM', 'parser')
      .hears('alice', 'COMPLETED', 'done:parser as asked', { taskId: 'parser', epoch: 1, commit: 'abc' });
    expect(said(run)).toEqual(['alice INFO Done: Parse quoted fields. Thank you.', 'all INFO Available tasks:']);
    expect(run.timers).not.toContain('lease.parser');
    run.hears('bob', 'CLAIM', 'report').hears('bob', 'COMPLETED', 'report');
    expect(said(run)).toEqual(['bob INFO Done: Print a report. Thank you.', 'all INFO All tasks are done.']);
    expect(run.output).toEqual({
      outcome: 'done',
      tasks: [
        {
          id: 'parser',
          title: 'Parse quoted fields',
          state: 'done',
          holder: 'alice',
          epoch: 1,
          lapses: [],
          commit: 'abc',
          branch: null,
          summary: 'as asked',
          evidence: ['m1', 'm2'],
        },
        {
          id: 'report',
          title: 'Print a report',
          state: 'done',
          holder: 'bob',
          epoch: 1,
          lapses: [],
          commit: null,
          branch: null,
          summary: '',
          evidence: ['m3', 'm4'],
        },
      ],
      undelivered: [],
    });
  });

  it('takes a task from a silent holder, offers it again, and refuses the late result with the reason', () => {
    const run = alone().hears('alice', 'CLAIM', 'parser').fires('lease.parser');
    expect(said(run)).toEqual([
      'alice INFO Parse quoted fields (parser) is no longer yours: you sent nothing about it for 10 min. Others may claim it now. If you still want it, claim it again.',
      'all INFO Available tasks:',
    ]);
    run.hears('bob', 'CLAIM', 'parser');
    const before = JSON.stringify(run.context);
    for (const data of [undefined, { taskId: 'parser', epoch: 1 }, { taskId: 'parser', epoch: 2 }]) {
      run.hears('alice', 'COMPLETED', 'done:parser', data);
      expect(run.sent[0]?.content).toMatch(
        /^Your result is not accepted for Parse quoted fields \(parser\): your claim, epoch 1, is over: you sent nothing about it for 10 min\. bob holds it now\. Thank you/,
      );
      expect(JSON.stringify(run.context)).toBe(before);
    }
    run.hears('bob', 'COMPLETED', 'done:parser', { taskId: 'parser', epoch: 2 });
    expect(said(run)[0]).toBe('bob INFO Done: Parse quoted fields. Thank you.');
  });

  it('offers a returned task with the reason, and reports one that everybody has returned', () => {
    const run = alone({ agents: ['alice', 'bob'] })
      .hears('alice', 'CLAIM', 'parser')
      .hears('alice', 'BLOCKED', 'parser: there is no spec');
    expect(said(run)).toEqual(['bob INFO Available tasks:']);
    expect(run.sent[0]?.content).toContain('given back by alice: there is no spec');
    run.hears('bob', 'CLAIM', 'parser').hears('bob', 'BLOCKED', 'blocked:parser none here either');
    expect(said(run)).toEqual([
      'alice,bob BLOCKED Blocked: Parse quoted fields',
      'alice,bob INFO Not all tasks are done, and none can be claimed.',
    ]);
    expect(run.sent[0]?.content).toContain('alice, epoch 1: there is no spec\n  bob, epoch 2: none here either');
    expect(run.output).toMatchObject({
      outcome: 'blocked',
      tasks: [
        { state: 'blocked', epoch: 3, evidence: ['m1', 'm2', 'm3', 'm4'] },
        { state: 'waiting', holder: null },
      ],
    });
  });

  it('offers a returned task to the others first, and to the agent that returned it if nobody claims it', () => {
    const run = alone({ agents: ['alice', 'bob'] })
      .hears('alice', 'CLAIM', 'parser')
      .hears('alice', 'BLOCKED', 'parser: not today')
      .hears('alice', 'CLAIM', 'parser');
    expect(run.sent).toMatchObject([{ to: ['alice'], data: { kind: 'refused', why: 'held-back', tasks: [] } }]);
    expect(said(run.fires('offer'))).toEqual(['alice INFO Available tasks:']);
    expect(said(run.hears('alice', 'CLAIM', 'parser'))).toContain('alice INFO Start: Parse quoted fields');
  });

  it('gives up a task that was lost three times, and says why', () => {
    const run = alone({ agents: ['alice', 'bob'] });
    for (let at = 1; at <= 3; at++) run.hears('alice', 'CLAIM', 'parser').fires('lease.parser');
    const lines = [1, 2, 3].map((epoch) => `  alice, epoch ${epoch}: no message before the lease ended`).join('\n');
    expect(run.everSent.find(({ type }) => type === 'BLOCKED')?.content).toBe(
      `Blocked: Parse quoted fields\n\n${lines}\n\nIt was claimed and lost 3 times, so nobody can claim it any more.`,
    );
    expect(run.output).toMatchObject({ outcome: 'blocked', tasks: [{ state: 'blocked', epoch: 4 }, {}] });
  });

  it('accepts a claim of a blocked task, and blocks it again if the holder falls silent', () => {
    const plan = { tasks: [...PLAN.tasks, { id: 'docs', title: 'Write it down', description: 'x' }] };
    const run = alone({ plan, agents: ['alice'] })
      .hears('alice', 'CLAIM', 'docs')
      .hears('alice', 'BLOCKED', 'docs: what is it?');
    expect(run.told('alice')[0]?.content).toContain("mailroom send work-distributor CLAIM 'docs'");
    expect(said(run.hears('alice', 'CLAIM', 'docs'))[1]).toBe('alice INFO Start: Write it down');
    run.fires('lease.docs');
    expect(said(run)[1]).toBe('alice BLOCKED Blocked: Write it down');
    expect([run.status, run.timers]).toEqual(['active', ['xstate.after.deadline.work-distributor.open']]);
  });

  it('answers a question with the state of all tasks, and tells a holder again what to do', () => {
    const run = alone().hears('alice', 'CLAIM', 'parser').hears('alice', 'QUESTION', 'where was I?');
    expect(run.sent).toHaveLength(1);
    expect(run.sent[0]?.content).toMatch(
      /^ {2}parser {2}claimed by alice[^]*report {2}waiting for parser[^]*Start: Parse quoted fields/,
    );
    expect(said(run.hears('alice', 'CLAIM', 'parser'))).toEqual(['alice INFO Start: Parse quoted fields']);
  });

  it('does not reply to an INFO without a command', () => {
    const run = alone().hears('alice', 'INFO', 'hello');
    expect([run.isHandled, run.sent]).toEqual([true, []]);
  });

  it('records an undeliverable message and continues', () => {
    const failure = {
      type: 'mailroom.delivery-failed',
      messageId: 'o1',
      messageType: 'INFO',
      to: 'alice',
      code: 'ACTOR_NOT_FOUND',
      reason: 'nobody',
    };
    const run = alone({ agents: ['alice', 'bob'] }).happens(failure);
    expect(run.timers).toContain('offer');
    expect(said(run.fires('offer'))).toEqual(['alice INFO Available tasks:']);
    run.happens({ ...failure, to: 'carol' });
    expect(run.timers).not.toContain('offer');
    run
      .hears('bob', 'CLAIM', 'parser')
      .hears('bob', 'COMPLETED', 'parser')
      .hears('bob', 'CLAIM', 'report')
      .hears('bob', 'COMPLETED', 'report');
    expect(run.output).toMatchObject({
      outcome: 'done',
      undelivered: [{ to: 'alice', code: 'ACTOR_NOT_FOUND' }, { to: 'carol' }],
    });
  });

  it('ends when its time is over, with the results so far', () => {
    const run = alone().hears('alice', 'CLAIM', 'parser').fires('xstate.after.deadline.work-distributor.open');
    expect(run.output).toMatchObject({
      outcome: 'time-over',
      tasks: [{ state: 'claimed', holder: 'alice' }, { state: 'waiting' }],
    });
  });

  it('refuses an impossible plan before anything is sent', () => {
    expect(() =>
      alone({ plan: { tasks: [{ ...PLAN.tasks[1], id: 'report', title: 'x', description: 'y' }] } }),
    ).toThrow(/"report" depends on "parser", which is no task/);
  });
});

describe('a distribution whose results a parent accepts', () => {
  const claimed = (): RecordedWorkflow => asChild().hears('alice', 'CLAIM', 'parser');
  const assigned = (): RecordedWorkflow =>
    claimed().happens({ type: 'ASSIGN', taskId: 'parser', epoch: 1, workspace: WORKSPACE });
  const handedIn = (): RecordedWorkflow =>
    assigned().hears('alice', 'COMPLETED', 'done:parser as asked', {
      taskId: 'parser',
      epoch: 1,
      commit: 'abc',
      branch: 'task/parser',
    });

  it('starts the holder when the parent has assigned a workspace', () => {
    const run = claimed();
    expect(said(run)).toEqual(['all INFO alice claimed: Parse quoted fields']);
    expect(run.toParent).toMatchObject([
      { type: 'TASK-CLAIMED', task: { id: 'parser', dependsOn: [] }, agent: 'alice', epoch: 1, messageId: 'm1' },
    ]);
    expect(run.timers).not.toContain('lease.parser');
    run.happens({ type: 'ASSIGN', taskId: 'parser', epoch: 1, workspace: WORKSPACE });
    expect(run.sent).toMatchObject([
      { to: ['alice'], replyTo: 'm1', data: { kind: 'start', taskId: 'parser', epoch: 1, workspace: WORKSPACE } },
    ]);
    expect(run.sent[0]?.content).toContain(
      `Work in /tmp/it's here and commit there, on the branch task/parser (from abc123).`,
    );
    expect(run.sent[0]?.content).toContain(`"$(git -C '/tmp/it'\\''s here' rev-parse HEAD)"`);
    expect(run.timers).toContain('lease.parser');
  });

  it('is done when the parent accepts it, and not before', () => {
    const run = handedIn();
    expect(said(run)).toEqual([
      'alice INFO Handed in: Parse quoted fields. Your result is under review; you will be told the outcome.',
    ]);
    expect(run.toParent).toMatchObject([
      {
        type: 'TASK-COMPLETED',
        task: { id: 'parser' },
        agent: 'alice',
        epoch: 1,
        commit: 'abc',
        branch: 'task/parser',
        summary: 'as asked',
        messageId: 'm2',
      },
    ]);
    expect(run.timers).not.toContain('lease.parser');
    expect(run.hears('bob', 'CLAIM', 'report').sent[0]?.content).toContain('these must be done first');
    run.happens({ type: 'ACCEPTED', taskId: 'parser', epoch: 1 });
    expect(said(run)).toEqual(['alice INFO Done: Parse quoted fields. Thank you.', 'all INFO Available tasks:']);
  });

  it('lets the same holder continue in the same epoch, under a lease, when rework is needed', () => {
    const run = handedIn().happens({ type: 'REWORK', taskId: 'parser', epoch: 1, feedback: 'What of "" in quotes?' });
    expect(run.sent).toMatchObject([
      { to: ['alice'], data: { kind: 'rework', epoch: 1, feedback: 'What of "" in quotes?', workspace: WORKSPACE } },
    ]);
    expect(run.timers).toContain('lease.parser');
    run.hears('alice', 'COMPLETED', 'parser', { epoch: 1, commit: 'def' });
    expect(run.toParent).toMatchObject([{ type: 'TASK-COMPLETED', commit: 'def', epoch: 1 }]);
  });

  it('runs no lease while the parent decides on the earlier result', () => {
    const rework = { type: 'REWORK', taskId: 'parser', epoch: 1, feedback: 'What of "" in quotes?' };
    const run = handedIn().happens(rework).happens({ type: 'SUSPEND', taskId: 'parser', epoch: 1 });
    expect([run.isHandled, run.sent, run.timers.includes('lease.parser')]).toEqual([true, [], false]);
    run.hears('bob', 'CLAIM', 'parser');
    expect(run.sent[0]?.content).toContain('alice');
    // A message of the holder starts no lease meanwhile, the next event of the parent does.
    expect(run.hears('alice', 'INFO', 'parser: still at it').timers).not.toContain('lease.parser');
    expect(run.happens(rework).timers).toContain('lease.parser');
    expect(run.told('alice')).toMatchObject([{ data: { kind: 'rework', epoch: 1, workspace: WORKSPACE } }]);
    run.happens({ type: 'SUSPEND', taskId: 'parser', epoch: 1 });
    expect(said(run.happens({ type: 'ACCEPTED', taskId: 'parser', epoch: 1 }))[0]).toMatch(/^alice INFO Done/);
  });

  it('reports a released task to the parent, and ignores the parent’s events about the ended epoch', () => {
    const run = assigned().fires('lease.parser');
    expect(run.toParent).toEqual([
      {
        type: 'TASK-RELEASED',
        taskId: 'parser',
        agent: 'alice',
        epoch: 1,
        reason: 'no message before the lease ended',
        end: 'silent',
        isBlocked: false,
      },
    ]);
    run.hears('bob', 'CLAIM', 'parser');
    const before = JSON.stringify(run.context);
    for (const type of ['ASSIGN', 'ACCEPTED', 'REWORK', 'SUSPEND', 'RELEASE'])
      run.happens({ type, taskId: 'parser', epoch: 1, feedback: 'f', reason: 'r' });
    expect(JSON.stringify(run.context)).toBe(before);
  });

  it('tells the parent once when a silent agent is heard again, whatever it sends', () => {
    const heard = { type: 'AGENT-HEARD', agent: 'alice' };
    for (const speak of [
      (run: RecordedWorkflow) => run.hears('alice', 'INFO', 'hello'),
      (run: RecordedWorkflow) => run.hears('alice', 'COMPLETED', 'done:parser', { taskId: 'parser', epoch: 1 }),
      (run: RecordedWorkflow) => run.hears('alice', 'QUESTION', 'what now?'),
    ]) {
      const run = assigned().fires('lease.parser').hears('bob', 'INFO', 'hello');
      expect(run.toParent).toEqual([]);
      expect(speak(run).toParent).toEqual([heard]);
      expect(speak(run).toParent).toEqual([]);
    }
    expect(assigned().fires('lease.parser').hears('alice', 'CLAIM', 'parser').toParent).toMatchObject([
      heard,
      { type: 'TASK-CLAIMED', agent: 'alice', epoch: 2 },
    ]);
  });

  it('says how a task was lost, so that a holder that returned it does not count as silent', () => {
    const run = assigned().hears('alice', 'BLOCKED', 'parser: no spec');
    expect(run.toParent).toMatchObject([{ type: 'TASK-RELEASED', end: 'given-back', reason: 'no spec' }]);
    expect(run.hears('alice', 'INFO', 'hello').toParent).toEqual([]);
  });

  it('takes a task from its holder on RELEASE, and blocks it the third time', () => {
    const run = asChild();
    for (const epoch of [1, 2, 3]) {
      run
        .hears('alice', 'CLAIM', 'parser')
        .happens({ type: 'RELEASE', taskId: 'parser', epoch, reason: 'it does not merge' });
      expect(run.toParent).toMatchObject([
        { type: 'TASK-RELEASED', epoch, reason: 'it does not merge', end: 'taken-away', isBlocked: epoch === 3 },
      ]);
      expect(said(run)[0]).toContain('is no longer yours: it does not merge');
      expect(said(run)[0]).toContain(epoch === 3 ? 'nobody can claim it any more' : 'claim it again');
    }
    expect(run.status).toBe('done');
  });

  it('accepts further tasks, and refuses invalid ones with their faults', () => {
    const run = handedIn().happens({
      type: 'ADD-TASKS',
      tasks: [{ id: 'fix', title: 'Mend it', description: 'x', dependsOn: ['parser'] }],
    });
    expect(run.toParent).toEqual([]);
    run.happens({ type: 'ADD-TASKS', tasks: [{ id: 'fix', title: 'Again', description: 'x', dependsOn: ['prser'] }] });
    expect(run.toParent).toMatchObject([
      {
        type: 'TASKS-REFUSED',
        reason: expect.stringContaining(
          'the id "fix" is used more than once; "fix" depends on "prser", which is no task (did you mean "parser"?)',
        ) as unknown,
      },
    ]);
    run.happens({ type: 'ACCEPTED', taskId: 'parser', epoch: 1 });
    expect(run.sent.at(-1)?.data).toMatchObject({ kind: 'available', tasks: [{ id: 'report' }, { id: 'fix' }] });
  });

  it('waits for more tasks with staysOpen, until the parent ends it', () => {
    const one = { plan: { tasks: PLAN.tasks.slice(0, 1) } };
    const run = asChild({ ...one, staysOpen: true })
      .hears('alice', 'CLAIM', 'parser')
      .hears('alice', 'COMPLETED', 'parser')
      .happens({ type: 'ACCEPTED', taskId: 'parser', epoch: 1 });
    expect(run.toParent).toMatchObject([{ type: 'TASKS-SETTLED', tasks: [{ id: 'parser', state: 'done' }] }]);
    expect(run.status).toBe('active');
    run.happens({ type: 'ADD-TASKS', tasks: [{ id: 'fix', title: 'Mend it', description: 'x' }] });
    expect(said(run)).toEqual(['all INFO Available tasks:']);
    run.happens({ type: 'FINISH' });
    expect(run.output).toMatchObject({ outcome: 'finished', tasks: [{ state: 'done' }, { state: 'available' }] });
  });
});

test('a task has one holder per epoch and is done once for every order of claims, results and lease ends', () => {
  const claim = (taskId: string): { to: string; type: string; content: string } => ({
    to: 'work-distributor',
    type: 'CLAIM',
    content: taskId,
  });
  const done = (taskId: string, epoch: number): { to: string; type: string; data: object } => ({
    to: 'work-distributor',
    type: 'COMPLETED',
    data: { taskId, epoch },
  });
  const givesBack = (taskId: string): { to: string; type: string; content: string } => ({
    to: 'work-distributor',
    type: 'BLOCKED',
    content: taskId,
  });
  const explored = explore({
    workflows: { 'work-distributor': { machine, input: { plan: PLAN, agents: ['alice', 'bob'] } } },
    agents: {
      alice: { sends: [claim('parser'), done('parser', 1), givesBack('report')] },
      bob: { sends: [claim('parser'), done('parser', 2), claim('report'), done('report', 1)] },
    },
    statesMax: 60_000,
    invariant: ({ workflows: { 'work-distributor': seen } }) => {
      const { board } = (seen?.context ?? { board: { entries: [] } }) as { board: Board };
      for (const { epoch, status, lapses } of board.entries) {
        const epochs = [
          ...lapses.map(({ holder }) => holder.epoch),
          ...('holder' in status ? [status.holder.epoch] : []),
        ];
        if (new Set(epochs).size !== epochs.length) return `two holders in one epoch: ${epochs.join(', ')}`;
        if (epoch !== lapses.length + 1) return `the epoch ${epoch} after ${lapses.length} that are over`;
      }
      return undefined;
    },
    summarize: ({ workflows: { 'work-distributor': seen } }) =>
      `${seen?.status}: ${(seen?.output as DistributionReport | undefined)?.outcome}`,
  });
  console.log(`${explored.states} states of a distribution looked at`);
  expect([...explored.violations, ...explored.failedSteps, ...explored.endless], formatExploration(explored)).toEqual(
    [],
  );
  expect(explored.isComplete).toBe(true);
  expect(explored.ends.map(({ summary }) => summary).toSorted()).toEqual(['done: done', 'done: time-over']);
});
