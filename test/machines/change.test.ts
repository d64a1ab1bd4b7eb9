import { describe, expect, it } from 'vitest';
import { machine } from '../../machines/autonomous-dev/change.ts';
import type { ChangeInput } from '../../machines/autonomous-dev/change-context.ts';
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
const DISAGREEMENT = {
  issue: 'm.1',
  round: 1,
  topic: 'Policy',
  positions: [
    { who: 'cleo', position: 'strict', evidence: [], messageId: 'm1' },
    { who: 'ben', position: 'lenient', evidence: [], messageId: 'm2' },
  ],
};

const submitted = (commit: string): { type: string; [key: string]: unknown } => ({
  type: 'SUBMITTED',
  commit,
  summary: 'done',
  messageId: `of ${commit}`,
  agents: ['cleo', 'ada'],
});
/** The commit is reviewed, and disputed. */
const voting = (): RecordedWorkflow =>
  new RecordedWorkflow(machine, { input: INPUT, parent: 'loop' })
    .done('prepare', { directory: '/work/tasks/parser-1', branch: 'b', base: 'c0' })
    .happens(submitted('c1'))
    .done('check', { commit: 'c1' })
    .done('review', { outcome: 'disagreement', change: { commit: 'c1' }, disagreements: [DISAGREEMENT] });
const voted = (option: string): object => ({ question: 'Policy', outcome: 'decided', option, votes: [], missing: [] });

it('rests while it is voted on, by everybody and its author, and is approved when it may stay', () => {
  const run = voting();
  expect(run.toParent).toMatchObject([{ type: 'PUT-TO-THE-VOTE', taskId: 'parser', epoch: 1 }]);
  expect(run.started('vote').input).toMatchObject({ electorate: ['ben', 'cleo', 'ada'], seconds: 60 });
  run.done('vote', voted('keep'));
  expect(run.toParent).toMatchObject([{ type: 'APPROVED', commit: 'c1' }]);
});

it('goes back to its author when the vote changes it', () => {
  const run = voting().done('vote', voted('change'));
  expect(run.toParent).toMatchObject([{ type: 'GO-ON', feedback: expect.stringContaining('voted: change') as string }]);
});

it('has a commit reviewed that crossed the disagreement, instead of merging the one before', () => {
  const run = voting().happens(submitted('c2')).done('vote', voted('keep'));
  expect([run.toParent, run.started('check').input]).toMatchObject([[], { commit: 'c2' }]);
  run.done('check', { commit: 'c2' });
  expect(run.started('review').input).toMatchObject({
    change: { commit: 'c2', description: expect.stringContaining('So it stays as it is.') as string },
  });
  run.done('review', { outcome: 'approved', change: { commit: 'c2' }, disagreements: [] });
  expect(run.toParent).toMatchObject([{ type: 'APPROVED', commit: 'c2' }]);
});

it('tells why it is stuck, in the words of what failed', () => {
  const run = new RecordedWorkflow(machine, { input: INPUT, parent: 'loop' }).fails(
    'prepare',
    'git worktree add failed',
  );
  expect(run.toParent).toMatchObject([
    { type: 'STUCK', reason: 'git worktree add failed' },
    { type: 'CHANGE-ENDED', report: { outcome: 'stuck' } },
  ]);
});

describe('what is handed in', () => {
  /** A checkout is ready. */
  const working = (): RecordedWorkflow =>
    new RecordedWorkflow(machine, { input: INPUT, parent: 'loop' }).done('prepare', {
      directory: '/work/tasks/parser-1',
      branch: 'b',
      base: 'c0',
    });
  const feedback = (fault: string): object => ({ type: 'GO-ON', feedback: `It cannot be reviewed: ${fault}.` });

  it('is one commit from then on, whatever name it was given by', () => {
    const run = working().happens(submitted('my-branch')).done('check', { commit: 'c1' });
    expect(run.started('review').input).toMatchObject({ change: { commit: 'c1', base: 'c0' } });
    run.done('review', { outcome: 'approved', change: { commit: 'c1' }, disagreements: [] });
    expect(run.toParent).toMatchObject([{ type: 'APPROVED', commit: 'c1' }]);
  });

  it('goes back to its author in words when it cannot be reviewed, at first and as a revision', () => {
    const run = working().happens(submitted('c1')).done('check', { fault: 'there is no commit c1' });
    expect(run.toParent).toMatchObject([feedback('there is no commit c1')]);
    run.happens(submitted('c2')).done('check', { commit: 'c2' });
    run.happens({ type: 'CHANGES-REQUESTED', round: 1, issues: [], feedback: 'What of ""?' });
    run.happens(submitted('c3'));
    expect(run.toChildren).toEqual([]);
    run.done('check', { fault: '"lib" is a git repository' });
    expect([run.toParent, run.toChildren]).toMatchObject([[feedback('"lib" is a git repository')], []]);
    run.happens(submitted('c4')).done('check', { commit: 'c4' });
    expect(run.toChildren).toMatchObject([{ childId: 'review', event: { type: 'REVISED', commit: 'c4' } }]);
  });

  it('is reviewed once more when its author has merged what it conflicts with', () => {
    const run = working().happens(submitted('c1')).done('check', { commit: 'c1' });
    const review = (commit: string): object => ({ outcome: 'approved', change: { commit }, disagreements: [] });
    run.done('review', review('c1'));
    const head = 'd'.repeat(40);
    run.happens({ type: 'CONFLICT', files: ['list.txt'], with: head });
    expect(run.toParent).toMatchObject([{ feedback: expect.stringMatching(`\n  git merge ${head}$`) as string }]);
    run.happens(submitted('c2')).done('check', { commit: 'c2' });
    expect([run.countOf('review'), run.toParent]).toEqual([2, []]);
    expect(run.started('review').input).toMatchObject({ change: { commit: 'c2', base: 'c0' } });
    run.done('review', review('c2'));
    expect(run.toParent).toMatchObject([{ type: 'APPROVED', commit: 'c2' }]);
  });
});
